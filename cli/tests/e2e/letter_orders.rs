//! The approval of a letter goes from hand to hand. Each signer reads the texts on the own machine.

use std::fs;

use crate::letters::{declared, send};
use crate::relay::accepting_relay;
use crate::support::{Place, assert_refused, stdout};

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
    let plan = ["letters", "plan", "--incident", "1", "--audience", "customers"];
    let planned = stdout(&place.run(plan));
    // A decoy has a row, too.
    let first = planned.lines().next().unwrap();
    assert!(first.starts_with("letter 2: 2") && first.ends_with(" people"), "{planned}");
    let preview = stdout(&place.run(["letters", "preview", "2"]));
    assert!(preview.contains("Subject: ") && preview.contains("[name]"), "{preview}");
    stdout(&place.run(["order", "draft", "letter", "2", "--out", &order]));
    let shown = stdout(&place.run(["order", "show", &order, "--texts", &texts]));
    assert!(shown.contains("Approve letter 2 of incident 1, version "), "{shown}");
    assert!(shown.contains("nobody signed it yet"), "{shown}");
    assert!(shown.contains("en US-KY, lost nothing: "), "{shown}");
    let folder = fs::read_dir(&texts).unwrap().next().unwrap().unwrap().path();
    let text = fs::read_to_string(folder.join("text.txt")).unwrap();
    assert!(text.contains("[name]") && text.contains("[code]"), "{text}");

    // An order without texts is refused, and so is one whose texts are not those of the warrant.
    let whole = fs::read_to_string(&order).unwrap();
    let forged = place.file("forged.order");
    let sign = |order: &str| {
        place.cofferdam(["order", "sign", order]).args(place.approvers()).output().unwrap()
    };
    fs::write(&forged, whole.replace("ask you for your password", "ask for it")).unwrap();
    assert_ne!(fs::read_to_string(&forged).unwrap(), whole);
    assert_refused(&sign(&forged), "not those that its warrant is for");
    let mut order_of: serde_json::Value = serde_json::from_str(&whole).unwrap();
    order_of["kind"] = "warrant".into();
    order_of["signed"] = order_of["signed"]["warrant"].take();
    fs::write(&forged, order_of.to_string()).unwrap();
    assert_refused(&sign(&forged), "its texts are not in it");

    assert_refused(&place.run(["order", "apply", &order]), "--yes");
    assert_refused(&place.run(["order", "apply", &order, "--yes"]), "sign");
    place.sign_and_apply(&order);
    assert_refused(&place.run(["letters", "start", "2"]), "nothing was done");
    assert_eq!(taken.lock().unwrap().len(), to_staff);
    let listed = place.json(["letters", "list", "--incident", "1"]);
    assert_eq!(listed.as_array().unwrap().len(), 2, "{listed}");
    stdout(&place.run(["letters", "start", "2", "--yes"]));
    assert_eq!(taken.lock().unwrap().len(), to_staff + 20);
}
