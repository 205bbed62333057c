//! The commands about `keys`: ceremony, shares, orders, epochs, budgets, and checks of the log.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use accounts_api::ReadCustomers;
use cofferdam_core::{Field, FieldSet};
use cofferdam_wire::write_secret;
use estate::Compartment::{self, Accounts, Keys, Response};

use crate::support::{
    Place, Process, Up, assert_refused, cofferdam, run, stderr, stdout, wait_until,
};

#[tokio::test]
async fn grants_change_and_a_master_key_is_renewed_without_a_restart() {
    let place = Place::new();
    let _up = Up::start(&place);
    place.import(300);
    let web = place.client(Accounts, "shipping-1");
    let billing = FieldSet::EMPTY.with(Field::BillingAddress);
    let read = place.read_call(6..8, billing).await;
    assert!(web.call(&read).await.is_err(), "the server has no grant yet");

    // An order lets the shipping server read billing addresses as well.
    let text = stdout(&place.run(["policy", "show"]));
    let mut policy: toml::Table = text.parse().unwrap();
    for caller in policy["callers"].as_array_mut().unwrap() {
        if caller["name"].as_str() == Some("shipping-1") {
            let fields = caller["grants"][0]["fields"].as_array_mut().unwrap();
            fields.push("billing_address".into());
        }
    }
    let file = place.file("next.toml");
    fs::write(&file, toml::to_string(&policy).unwrap()).unwrap();
    let order = place.file("policy.order");
    stdout(&place.run(["order", "draft", "policy", &file, "--out", &order]));
    let shown = place.json(["order", "show", &order])["order"].to_string();
    assert!(shown.contains("billing_address") && shown.contains("shipping-1"), "{shown}");
    assert!(!shown.contains("mail-trap-1"), "more than the difference is shown: {shown}");
    let unsigned = place.run(["order", "apply", &order, "--yes"]);
    assert_refused(&unsigned, "two people and has 0");
    place.sign_and_apply(&order);
    let before = web.call(&read).await.unwrap();
    assert_eq!(before.len(), 2);

    // Another order makes a new master key, and every record moves to it.
    let order = place.file("rotation.order");
    stdout(&place.run(["order", "draft", "rotate", "--domain", "accounts", "--out", &order]));
    place.sign_and_apply(&order);
    let epochs = stdout(&place.run(["epoch", "list", "--wait"]));
    let row: Vec<&str> = epochs
        .lines()
        .find(|line| line.starts_with("accounts"))
        .map(|line| line.split_whitespace().collect())
        .unwrap();
    assert_eq!(row[1..5], ["1", "0,", "1", "all"], "{epochs}");
    let order = place.file("retirement.order");
    let retire =
        ["order", "draft", "retire", "--domain", "accounts", "--epoch", "0", "--out", &order];
    stdout(&place.run(retire));
    place.sign_and_apply(&order);
    let after = web.call(&read).await.unwrap();
    assert_eq!(format!("{:?}", before[1].record), format!("{:?}", after[1].record));
    assert_eq!(before[1].fields, after[1].fields);

    let shown = stdout(&place.run(["budget", "list"]));
    assert!(shown.contains("hours to drain everything"), "{shown}");
    assert!(shown.lines().any(|line| line.starts_with("shipping-1") && line.contains("release")));
    let log = place.file("keys/log");
    let suggested = run(["budget", "suggest", "--log", &log]);
    assert!(stderr(&suggested).contains("less than an hour"), "{}", stderr(&suggested));
    let suggested: toml::Table = stdout(&suggested).parse().unwrap();
    assert!(suggested["callers"].as_array().unwrap().len() >= 3);
}

#[tokio::test]
async fn custodians_open_a_keys_that_starts() {
    let place = Place::with_estate().await;
    fs::create_dir(place.dir.join("guarded")).unwrap();
    place.configure(Keys, |keys| {
        let mut custody = toml::toml! { provider = "custodians" };
        custody.insert("socket".into(), place.file("guarded/unseal.sock").into());
        keys.insert("custody".into(), custody.into());
        keys.insert("database".into(), place.file("guarded/keys.db").into());
        keys.insert("log".into(), place.file("guarded/log").into());
    });
    let (config, policy) = (place.file("keys/keys.toml"), place.file("keys/policy.toml"));
    let mut init = cofferdam(["keys", "init", "--config", &config, "--policy", &policy]);
    let made = stdout(&init.args(["--custodians", "3", "--threshold", "2"]).output().unwrap());
    let shares: Vec<String> = made
        .lines()
        .filter_map(|line| line.split_once(": ").map(|(_, share)| share.to_owned()))
        .collect();
    assert_eq!(shares.len(), 3, "{made}");

    let serve = cofferdam(["keys", "serve", "--config", &config]);
    let _keys = Process::spawn(serve);
    let socket = place.dir.join("guarded/unseal.sock");
    wait_until("keys waits for shares", async || socket.exists()).await;
    let controller = place.keys_as(Response);
    let give = |share: &str| give_share(&place, Keys, share);
    assert_eq!(stdout(&give(&shares[0])).trim(), "1 of 2 shares");
    let again = give(&shares[0]);
    assert!(!again.status.success());
    assert!(!controller.is_healthy().await, "one share opens keys");
    let mistyped = give(&shares[1].replacen(|c: char| c.is_ascii_digit(), "f", 1));
    assert_refused(&mistyped, "a digit of the share is wrong");
    assert_eq!(stdout(&give(&shares[2])).trim(), "the secret of keys is open");
    wait_until("keys answers", async || controller.is_healthy().await).await;
}

/// Gives a custodian's share to a starting compartment.
pub fn give_share(place: &Place, compartment: Compartment, share: &str) -> Output {
    let config = place.file(&format!("{compartment}/{compartment}.toml"));
    let mut command = cofferdam([compartment.as_str(), "unseal", "--config", &config]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(child.stdin.as_mut().unwrap(), share.as_bytes()).unwrap();
    drop(child.stdin.take());
    child.wait_with_output().unwrap()
}

#[tokio::test]
async fn a_stolen_directory_opens_nothing_without_the_root_key() {
    let place = Place::with_estate().await;
    let config = place.file("keys/keys.toml");
    fs::remove_file(place.dir.join("root-key/root.key")).unwrap();
    let refused = run(["keys", "serve", "--config", &config]);
    assert_refused(&refused, "root.key");
    let other = b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    write_secret(&place.dir.join("root-key/root.key"), other).unwrap();
    let refused = run(["keys", "serve", "--config", &config]);
    assert_refused(&refused, "does not open pepper");
}

/// The verifier keys of the log and of its witness, from the configurations.
pub fn verifier_keys(place: &Place) -> [String; 2] {
    let response = place.toml("response/response.toml");
    let keys = place.toml("keys/keys.toml");
    [&response["keys"][0]["log_key"], &keys["witness_key"]]
        .map(|key| key.as_str().unwrap().to_owned())
}

#[tokio::test]
async fn the_log_is_verified_by_cofferdam_and_by_gos_own_packages() {
    let place = Place::new();
    let up = Up::start(&place);
    place.import(40);
    let web = place.client(Accounts, "shipping-1");
    let numbers = place.numbers(0..40).await;
    for number in numbers.into_iter().cycle().take(300) {
        let fields = FieldSet::EMPTY.with(Field::Name);
        web.call(&ReadCustomers { records: vec![number], fields, session: None }).await.unwrap();
    }
    let cosigned = place.dir.join("keys/log/cosigned");
    let size = |note: &Path| -> u64 {
        let text = fs::read_to_string(note).unwrap_or_default();
        text.lines().nth(1).and_then(|line| line.parse().ok()).unwrap_or(0)
    };
    wait_until("the witness has cosigned", async || size(&cosigned) > 300).await;
    drop(up);

    let [log_key, witness_key] = verifier_keys(&place);
    let copy = fs::read_dir(place.dir.join("response/log-copy")).unwrap().next().unwrap().unwrap();
    for dir in [place.dir.join("keys/log"), copy.path()] {
        let dir = dir.to_str().unwrap();
        let output = run(["log", "verify", dir, "--key", &log_key, "--witness", &witness_key]);
        let verified = stdout(&output);
        assert!(verified.contains("signed: ") && verified.contains("cosigned: "), "{verified}");
    }
    let (log, out) = (place.file("keys/log"), place.file("tiles"));
    stdout(&run(["log", "export", &log, "--out", &out, "--key", &log_key]));
    let go = go_verifier(&place);
    let verified = Command::new(&go).args([&out, &log_key, &witness_key]).output().unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    let tile = place.dir.join("tiles/tile/entries/000");
    let mut bytes = fs::read(&tile).unwrap();
    bytes[40] ^= 1;
    fs::write(&tile, bytes).unwrap();
    let refused = Command::new(&go).args([&out, &log_key, &witness_key]).output().unwrap();
    assert!(!refused.status.success(), "Go verifies a changed entry");

    let segment = fs::read_dir(&log).unwrap().map(|entry| entry.unwrap().path());
    let segment = segment.filter(|p| p.extension().is_some_and(|e| e == "entries")).min().unwrap();
    let mut bytes = fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&segment, bytes).unwrap();
    let refused = run(["log", "verify", &log, "--key", &log_key]);
    assert_refused(&refused, "damaged");
}

/// The independent verifier, built from its source with Debian's packages.
fn go_verifier(place: &Place) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/interop/verify-log.go");
    let binary = place.dir.join("verify-log");
    let built = Command::new("go")
        .args(["build", "-o"])
        .args([&binary, &source])
        .env("GO111MODULE", "off")
        .env("GOPATH", "/usr/share/gocode")
        .env("GOCACHE", place.dir.join("go-cache"))
        .env("CGO_ENABLED", "0")
        .output()
        .unwrap_or_else(|e| panic!("run ./test, which installs golang-go: {e}"));
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    binary
}

#[tokio::test]
async fn a_server_locks_itself_in_and_renews_its_certificate() {
    let place = Place::with_estate().await;
    let _keys = place.serve(Keys).await;
    let log = place.file("keys/keys.log");
    let lines = || fs::read_to_string(&log).unwrap();
    assert!(lines().contains("landlock: full") && lines().contains("seccomp: on"), "{}", lines());
    // The same certificate is put in place again, as new files that are renamed.
    for name in ["cert.pem", "key.pem"] {
        let file = place.dir.join("keys/tls").join(name);
        let new = file.with_extension("new");
        fs::copy(&file, &new).unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        fs::rename(&new, &file).unwrap();
    }
    wait_until("the certificate is renewed", async || {
        lines().contains("the certificate was renewed")
    })
    .await;
    assert!(place.keys_as(Response).is_healthy().await);
}
