//! Warrants and approvers' keys: only the warrant that both approvers signed verifies.
#![no_main]

use std::sync::LazyLock;

use cofferdam_core::SeededRng;
use keys_api::{ApproverKey, ApproverSecret, Order, Signed, Warrant, WarrantId};
use libfuzzer_sys::fuzz_target;

static PEOPLE: LazyLock<[ApproverSecret; 2]> = LazyLock::new(|| {
    let rng = SeededRng::new(1);
    ["ann", "bob"].map(|name| ApproverSecret::generate(name, &rng))
});
static KEYS: LazyLock<[ApproverKey; 2]> =
    LazyLock::new(|| PEOPLE.each_ref().map(ApproverSecret::public));
/// The only warrant that both approvers signed.
static SIGNED: LazyLock<Signed<Warrant>> = LazyLock::new(|| {
    let order: Warrant = serde_json::from_str(
        r#"{"id":"00000000000000000000000000000007","incident":1,"subject":{"paper_post":{"letter":1}},
            "caller":"response-1","domain":"accounts","fields":["name","email"],"records":10,
            "from":"2012-01-15T00:00:00Z","until":"2012-01-16T00:00:00Z"}"#,
    )
    .unwrap();
    let signatures = PEOPLE.iter().map(|person| person.sign(&order)).collect();
    Signed { order, signatures }
});

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        if let Ok(id) = text.parse::<WarrantId>() {
            assert_eq!(id.to_string(), text.to_ascii_lowercase());
        }
        let _ = ApproverSecret::from_pem("ann", text, b"a passphrase");
    }
    let check = |warrant: Signed<Warrant>| {
        if warrant.verify(&*KEYS).is_ok() {
            assert_eq!(warrant.order.signed_bytes(), SIGNED.order.signed_bytes());
        }
    };
    if let Ok(warrant) = serde_json::from_slice(data) {
        check(warrant);
    }
    // The signed warrant with changed bytes.
    let mut changed = serde_json::to_vec(&*SIGNED).unwrap();
    for pair in data.as_chunks::<2>().0.iter().take(4) {
        let at = usize::from(pair[0]) * changed.len() / 256;
        changed[at] ^= pair[1];
    }
    if let Ok(warrant) = serde_json::from_slice(&changed) {
        check(warrant);
    }
});
