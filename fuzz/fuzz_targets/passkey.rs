//! The statements that a passkey signs: a statement that is read has the parts of its input, and no page of
//! another domain uses a passkey.
#![no_main]

use cofferdam_core::RelyingParty;
use keys_api::{AuthenticatorData, ClientData};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(stated) = AuthenticatorData::parse(data) {
        assert_eq!(stated.relying_party.0, data[..32]);
        assert_eq!(stated.user_present, data[32] & 1 != 0);
    }
    let Ok(stated) = ClientData::parse(data) else { return };
    let party: RelyingParty = "shop.example".parse().unwrap();
    if party.has(&stated.origin) {
        let host = stated.origin.strip_prefix("https://").unwrap();
        let host = host.split_once(':').map_or(host, |(host, _)| host);
        assert!(host == "shop.example" || host.ends_with(".shop.example"), "{host}");
        assert!(!host.contains(['/', '@', '#', '?', '\\']), "{host}");
    }
});
