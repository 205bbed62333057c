//! The commands around `keys`: ceremony, shares, orders, epochs, budgets, and the log's checks.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use accounts_api::ReadCustomers;
use cofferdam_core::{Field, FieldSet, Record};

use crate::letters::approvers;
use crate::support::{Place, Process, Up, cofferdam, run, said, until};

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", said(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// A file of the estate, as text.
fn path(place: &Place, name: &str) -> String {
    place.dir.join(name).to_str().unwrap().to_owned()
}

fn on<const N: usize>(place: &Place, args: [&str; N]) -> Output {
    let mut command = cofferdam(args);
    command.args(["--dir", place.path()]).output().unwrap()
}

/// Both approvers sign.
fn sign(place: &Place, order: &str) {
    let output = cofferdam(["staff", "sign", order]).args(approvers(place)).output().unwrap();
    printed(&output);
}

#[tokio::test]
async fn grants_change_and_a_master_key_is_renewed_without_a_restart() {
    let place = Place::new();
    let _up = Up::start(&place);
    place.import(300);
    let web = place.client("accounts", "web-ky-1");
    let billing = FieldSet::EMPTY.with(Field::BillingAddress);
    let read = ReadCustomers { records: vec![Record(3), Record(7)], fields: billing };
    assert!(web.call(&read).await.is_err(), "not granted");

    // An app server is to show billing addresses as well.
    let text = printed(&on(&place, ["keys", "policy"]));
    let mut policy: toml::Table = text.parse().unwrap();
    for caller in policy["callers"].as_array_mut().unwrap() {
        if caller["name"].as_str() == Some("web-ky-1") {
            let fields = caller["grants"][0]["fields"].as_array_mut().unwrap();
            fields.push("billing_address".into());
        }
    }
    let file = path(&place, "next.toml");
    fs::write(&file, toml::to_string(&policy).unwrap()).unwrap();
    let order = path(&place, "policy.order");
    printed(&on(&place, ["keys", "order", "policy", &file, "--out", &order]));
    let unsigned = on(&place, ["keys", "apply", &order]);
    assert!(!unsigned.status.success() && said(&unsigned).contains("two different people"));
    sign(&place, &order);
    printed(&on(&place, ["keys", "apply", &order]));
    let before = web.call(&read).await.unwrap();
    assert_eq!(before.len(), 2);

    // A new master key; every record moves to it.
    let order = path(&place, "rotation.order");
    printed(&on(&place, ["keys", "order", "rotate", "--domain", "accounts", "--out", &order]));
    sign(&place, &order);
    printed(&on(&place, ["keys", "apply", &order]));
    let epochs = printed(&on(&place, ["keys", "epochs", "--wait"]));
    let row: Vec<&str> = epochs
        .lines()
        .find(|line| line.starts_with("accounts"))
        .map(|line| line.split_whitespace().collect())
        .unwrap();
    assert_eq!(row[1..5], ["1", "0,", "1", "all"], "{epochs}");
    let order = path(&place, "retirement.order");
    let retire =
        ["keys", "order", "retire", "--domain", "accounts", "--epoch", "0", "--out", &order];
    printed(&on(&place, retire));
    sign(&place, &order);
    printed(&on(&place, ["keys", "apply", &order]));
    let after = web.call(&read).await.unwrap();
    assert_eq!(format!("{:?}", before[1].record), format!("{:?}", after[1].record));
    assert_eq!(before[1].fields, after[1].fields);

    let shown = printed(&on(&place, ["budgets", "show"]));
    assert!(shown.contains("hours to drain everything"), "{shown}");
    assert!(shown.lines().any(|line| line.starts_with("web-ky-1") && line.contains("release")));
    let log = path(&place, "keys/log");
    let suggested = printed(&run(["budgets", "suggest", "--log", &log]));
    let suggested: toml::Table = suggested.parse().unwrap();
    assert!(suggested["callers"].as_array().unwrap().len() >= 3);
}

#[tokio::test]
async fn custodians_open_a_keys_that_starts() {
    let place = Place::new();
    place.make();
    let config = path(&place, "keys/keys.toml");
    let text = fs::read_to_string(&config).unwrap();
    let mut keys: toml::Table = text.parse().unwrap();
    fs::create_dir(place.dir.join("guarded")).unwrap();
    let mut custody = toml::Table::new();
    custody.insert("provider".into(), "custodians".into());
    custody.insert("socket".into(), path(&place, "guarded/unseal.sock").into());
    keys.insert("custody".into(), custody.into());
    keys.insert("database".into(), path(&place, "guarded/keys.db").into());
    keys.insert("log".into(), path(&place, "guarded/log").into());
    fs::write(&config, toml::to_string(&keys).unwrap()).unwrap();

    let policy = path(&place, "keys/policy.toml");
    let made = run([
        "keys",
        "init",
        "--config",
        &config,
        "--policy",
        &policy,
        "--custodians",
        "3",
        "--threshold",
        "2",
    ]);
    let made = printed(&made);
    let shares: Vec<String> = made
        .lines()
        .filter_map(|line| line.split_once(": ").map(|(_, share)| share.to_owned()))
        .collect();
    assert_eq!(shares.len(), 3, "{made}");

    let serve = cofferdam(["keys", "serve", "--config", &config]);
    let _keys = Process::spawn(serve);
    let socket = place.dir.join("guarded/unseal.sock");
    until("keys waits for shares", async || socket.exists()).await;
    let controller = place.controller();
    let give = |share: &str| {
        let mut command = cofferdam(["keys", "unseal", "--config", &config]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(child.stdin.as_mut().unwrap(), share.as_bytes()).unwrap();
        drop(child.stdin.take());
        child.wait_with_output().unwrap()
    };
    assert_eq!(printed(&give(&shares[0])).trim(), "1 of 2 shares");
    let again = give(&shares[0]);
    assert!(!again.status.success());
    assert!(!controller.is_healthy().await, "one person alone opens nothing");
    let mistyped = give(&shares[1].replacen(|c: char| c.is_ascii_digit(), "f", 1));
    assert!(said(&mistyped).contains("a digit of the share is wrong"), "{}", said(&mistyped));
    assert_eq!(printed(&give(&shares[2])).trim(), "open");
    until("keys answers", async || controller.is_healthy().await).await;
}

#[tokio::test]
async fn a_stolen_directory_opens_nothing_without_the_root_key() {
    let place = Place::new();
    place.make();
    let config = path(&place, "keys/keys.toml");
    fs::remove_file(place.dir.join("root-key/root.key")).unwrap();
    let refused = run(["keys", "serve", "--config", &config]);
    assert!(!refused.status.success() && said(&refused).contains("root.key"), "{}", said(&refused));
    cofferdam_wire::write_secret(
        &place.dir.join("root-key/root.key"),
        b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    )
    .unwrap();
    let refused = run(["keys", "serve", "--config", &config]);
    assert!(said(&refused).contains("does not open pepper"), "{}", said(&refused));
}

/// The log's verifier key and the witness's, from the configurations.
fn verifier_keys(place: &Place) -> [String; 2] {
    let read = |name: &str| -> toml::Table {
        fs::read_to_string(place.dir.join(name)).unwrap().parse().unwrap()
    };
    let log = read("response/response.toml")["keys"][0]["log_key"].as_str().unwrap().to_owned();
    let witness = read("keys/keys.toml")["witness_key"].as_str().unwrap().to_owned();
    [log, witness]
}

#[tokio::test]
async fn the_log_is_verified_by_us_and_by_gos_own_packages() {
    let place = Place::new();
    let up = Up::start(&place);
    place.import(40);
    let web = place.client("accounts", "web-ky-1");
    for n in 0..300 {
        let read = ReadCustomers {
            records: vec![Record(n % 40)],
            fields: FieldSet::EMPTY.with(Field::Name),
        };
        web.call(&read).await.unwrap();
    }
    let cosigned = place.dir.join("keys/log/cosigned");
    let size = |note: &Path| -> u64 {
        let text = fs::read_to_string(note).unwrap_or_default();
        text.lines().nth(1).and_then(|line| line.parse().ok()).unwrap_or(0)
    };
    until("the witness has cosigned", async || size(&cosigned) > 300).await;
    drop(up);

    let [log_key, witness_key] = verifier_keys(&place);
    let copy = fs::read_dir(place.dir.join("response/log-copy")).unwrap().next().unwrap().unwrap();
    for dir in [place.dir.join("keys/log"), copy.path()] {
        let dir = dir.to_str().unwrap();
        let output = run(["log", "verify", dir, "--key", &log_key, "--witness", &witness_key]);
        let said = printed(&output);
        assert!(said.contains("signed: ") && said.contains("cosigned: "), "{said}");
    }
    let (log, out) = (path(&place, "keys/log"), path(&place, "tiles"));
    printed(&run(["log", "export", &log, "--out", &out, "--key", &log_key]));
    let go = go_verifier(&place);
    let verified = Command::new(&go).args([&out, &log_key, &witness_key]).output().unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    let tile = place.dir.join("tiles/tile/entries/000");
    let mut bytes = fs::read(&tile).unwrap();
    bytes[40] ^= 1;
    fs::write(&tile, bytes).unwrap();
    let refused = Command::new(&go).args([&out, &log_key, &witness_key]).output().unwrap();
    assert!(!refused.status.success(), "a changed entry is verified");

    let segment = fs::read_dir(&log).unwrap().map(|entry| entry.unwrap().path());
    let segment = segment.filter(|p| p.extension().is_some_and(|e| e == "entries")).min().unwrap();
    let mut bytes = fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&segment, bytes).unwrap();
    let refused = run(["log", "verify", &log, "--key", &log_key]);
    assert!(said(&refused).contains("damaged"), "{}", said(&refused));
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
async fn a_server_is_locked_in_and_renews_its_certificate() {
    let place = Place::new();
    place.make();
    let _keys = place.serve("keys").await;
    let log = path(&place, "keys/keys.log");
    let lines = || fs::read_to_string(&log).unwrap();
    assert!(lines().contains("landlock: full") && lines().contains("seccomp: on"), "{}", lines());
    // The same certificate again, as new files put in place by renaming.
    for name in ["cert.pem", "key.pem"] {
        let file = place.dir.join("keys/tls").join(name);
        let new = file.with_extension("new");
        fs::copy(&file, &new).unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        fs::rename(&new, &file).unwrap();
    }
    until("the certificate is renewed", async || lines().contains("the certificate was renewed"))
        .await;
    assert!(place.controller().is_healthy().await);
}
