//! A stolen certificate is of no use once its key was revoked, and the caller goes on with a new
//! one.

use std::fs;

use accounts_api::RequestReset;
use cofferdam_core::Personal;
use cofferdam_wire::{Client, Identity, TlsFiles};
use estate::Compartment::Accounts;

use crate::support::{Place, assert_refused, stdout, wait_until};

/// A client with a copy of the files of `web-ky-1`.
fn thief(place: &Place) -> Client {
    let copy = place.dir.with_extension("stolen");
    fs::create_dir(&copy).unwrap();
    for name in ["cert.pem", "key.pem"] {
        fs::copy(place.dir.join("callers/web-ky-1").join(name), copy.join(name)).unwrap();
    }
    let files = TlsFiles {
        ca: place.dir.join("ca/ca.pem"),
        cert: copy.join("cert.pem"),
        key: copy.join("key.pem"),
    };
    let estate = place.estate();
    Client::new(Accounts, estate.addresses.of(Accounts), &Identity::load(&files).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_certificate_stays_useless_after_the_thaw() {
    let place = Place::with_estate().await;
    let _running = place.serve_all().await;
    let stolen = thief(&place);
    let served = async |client: &Client| {
        let reset = RequestReset { email: Personal::new("nobody@home.example") };
        client.call(&reset).await.is_ok()
    };
    assert!(served(&stolen).await);

    let from = ["--title", "A copied key", "--fallen", "web-ky-1", "--found", "an alarm"];
    let mut declare = place.cofferdam(["incident", "declare"]);
    declare.args(from).args(["--from", "2026-01-01T00:00:00Z"]);
    stdout(&declare.output().unwrap());
    let web = ["1", "--caller", "web-ky-1", "--reason", "its key was copied"];
    stdout(&place.cofferdam(["incident", "freeze"]).args(web).output().unwrap());
    assert!(!served(&stolen).await);

    // The claim is checked: without a revoked key, nothing is thawed.
    let mut thaw = place.cofferdam(["incident", "thaw"]);
    thaw.args(web).arg("--key-changed");
    assert_refused(&thaw.output().unwrap(), "--approver");
    thaw.args(place.approver());
    assert_refused(&thaw.output().unwrap(), "callers renew");
    let renew = ["callers", "renew", "web-ky-1", "--reason", "its key was copied"];
    let renewed = place.json(renew);
    assert_eq!(renewed["caller"], "web-ky-1");
    stdout(&thaw.output().unwrap());

    let owner = place.client(Accounts, "web-ky-1");
    assert!(served(&owner).await);
    wait_until("accounts knows the revoked key", async || !served(&stolen).await).await;
    assert!(served(&owner).await);
    // A key can be revoked twice. A certificate of another caller is none of its own.
    let callers = place.dir.join("callers");
    let file = |of: &str| callers.join(of).to_str().unwrap().to_owned();
    let old = file("web-ky-1/cert.old.pem");
    place.json(["callers", "revoke", "web-ky-1", "--cert", &old, "--reason", "to be sure"]);
    let other = ["callers", "revoke", "web-ky-1", "--cert", &file("web-ky-2/cert.pem")];
    let other = place.cofferdam(other).args(["--reason", "a mistake"]).output().unwrap();
    assert_refused(&other, "one of web-ky-2");
}
