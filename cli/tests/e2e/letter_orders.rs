//! The approval of a letter, from hand to hand: whoever signs reads on an own machine what is signed.

use std::fs;
use std::process::Output;

use crate::letters::{approvers, declared, send};
use crate::relay::relay;
use crate::support::{Place, cofferdam, said};

fn on<const N: usize>(place: &Place, args: [&str; N]) -> Output {
    cofferdam(args).args(["--dir", place.path()]).output().unwrap()
}

fn ok(output: &Output) -> String {
    assert!(output.status.success(), "{}", said(output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn refused(output: &Output, why: &str) {
    assert!(!output.status.success());
    assert!(said(output).contains(why), "{}", said(output));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_signs_a_letter_reads_what_is_signed() {
    let place = Place::new();
    place.make();
    let (at, taken) = relay().await;
    place.set_letters(at, |_| {});
    let _running = place.serve_all().await;
    place.import(20);
    declared(&place.client("response", "operator-1"), "web-ky-1").await;
    send(&place, "staff");
    let to_staff = taken.lock().unwrap().len();

    let file = |name: &str| place.dir.join(name).to_str().unwrap().to_owned();
    let (order, texts) = (file("letter.order"), file("texts"));
    let planned = ok(&on(&place, ["letters", "plan", "1", "--audience", "customers"]));
    // A decoy has a row, too.
    assert!(planned.starts_with("letter 2: 2") && planned.ends_with(" people\n"), "{planned}");
    ok(&on(&place, ["letters", "draft", "2", "--out", &order]));
    let shown = ok(&cofferdam(["staff", "show", &order, "--texts", &texts]).output().unwrap());
    assert!(shown.contains("Approve letter 2 to customers, version "), "{shown}");
    assert!(shown.contains("en US-KY, lost nothing: "), "{shown}");
    let folder = fs::read_dir(&texts).unwrap().next().unwrap().unwrap().path();
    let text = fs::read_to_string(folder.join("text.txt")).unwrap();
    assert!(text.contains("[name]") && text.contains("[code]"), "{text}");

    // Somebody hands over other texts than those that the warrant is for, or none.
    let whole = fs::read_to_string(&order).unwrap();
    let forged = file("forged.order");
    let sign =
        |order: &str| cofferdam(["staff", "sign", order]).args(approvers(&place)).output().unwrap();
    fs::write(&forged, whole.replace("ask you for your password", "ask for it")).unwrap();
    assert_ne!(fs::read_to_string(&forged).unwrap(), whole);
    refused(&sign(&forged), "not those that its warrant is for");
    let mut order_of: serde_json::Value = serde_json::from_str(&whole).unwrap();
    order_of["kind"] = "warrant".into();
    order_of["signed"] = order_of["signed"]["warrant"].take();
    fs::write(&forged, order_of.to_string()).unwrap();
    refused(&sign(&forged), "its texts are not in it");

    refused(&on(&place, ["letters", "approve", "2", &order]), "sign");
    ok(&sign(&order));
    ok(&on(&place, ["letters", "approve", "2", &order]));
    ok(&on(&place, ["letters", "start", "2"]));
    assert_eq!(taken.lock().unwrap().len(), to_staff + 20);
}
