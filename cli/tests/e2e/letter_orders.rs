//! The approval of a letter goes from hand to hand. Each signer reads on the own machine what is
//! signed.

use std::fs;

use crate::letters::{approvers, declared, send};
use crate::relay::accepting_relay;
use crate::support::{Place, assert_refused, cofferdam, stdout};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signer_of_a_letter_reads_what_is_signed() {
    let place = Place::with_estate().await;
    let (at, taken) = accepting_relay().await;
    place.set_letters(at, |_| {});
    let _running = place.serve_all().await;
    place.import(20);
    declared(&place.staff(), "web-ky-1").await;
    send(&place, "staff");
    let to_staff = taken.lock().unwrap().len();

    let (order, texts) = (place.file("letter.order"), place.file("texts"));
    let planned = stdout(&place.run(["letters", "plan", "1", "--audience", "customers"]));
    // A decoy has a row, too.
    assert!(planned.starts_with("letter 2: 2") && planned.ends_with(" people\n"), "{planned}");
    stdout(&place.run(["letters", "draft", "2", "--out", &order]));
    let shown = stdout(&cofferdam(["staff", "show", &order, "--texts", &texts]).output().unwrap());
    assert!(shown.contains("Approve letter 2 to customers, version "), "{shown}");
    assert!(shown.contains("en US-KY, lost nothing: "), "{shown}");
    let folder = fs::read_dir(&texts).unwrap().next().unwrap().unwrap().path();
    let text = fs::read_to_string(folder.join("text.txt")).unwrap();
    assert!(text.contains("[name]") && text.contains("[code]"), "{text}");

    // An order with other texts than those that the warrant is for is refused, and one without
    // texts.
    let whole = fs::read_to_string(&order).unwrap();
    let forged = place.file("forged.order");
    let sign =
        |order: &str| cofferdam(["staff", "sign", order]).args(approvers(&place)).output().unwrap();
    fs::write(&forged, whole.replace("ask you for your password", "ask for it")).unwrap();
    assert_ne!(fs::read_to_string(&forged).unwrap(), whole);
    assert_refused(&sign(&forged), "not those that its warrant is for");
    let mut order_of: serde_json::Value = serde_json::from_str(&whole).unwrap();
    order_of["kind"] = "warrant".into();
    order_of["signed"] = order_of["signed"]["warrant"].take();
    fs::write(&forged, order_of.to_string()).unwrap();
    assert_refused(&sign(&forged), "its texts are not in it");

    assert_refused(&place.run(["letters", "approve", "2", &order]), "sign");
    stdout(&sign(&order));
    stdout(&place.run(["letters", "approve", "2", &order]));
    stdout(&place.run(["letters", "start", "2"]));
    assert_eq!(taken.lock().unwrap().len(), to_staff + 20);
}
