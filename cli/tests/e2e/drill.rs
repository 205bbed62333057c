//! `cofferdam drill`: the whole breach, in a small shop.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use cofferdam_mail::sink::SinkIndex;
use nix::sys::signal::Signal;
use serde_json::Value;
use testkit::free_address;

use crate::support::{
    Place, Process, assert_refused, cofferdam, customers, json, run, stdout, wait_until,
};

fn drill<const N: usize>(args: [&str; N]) -> Value {
    let mut command = cofferdam(["drill"]);
    command.args(args);
    json(command)
}

#[tokio::test]
async fn every_check_holds_and_the_same_seed_gives_the_same_exposure() {
    let first = drill(["--customers", "300", "--seed", "7"]);
    assert_eq!(first["ok"], true);
    assert_eq!(first["customers"], 300);
    assert_eq!(first["exposure"]["missed"], 0);
    assert_eq!(first["exposure"]["wrong"], 0);
    assert_eq!(first["cards"]["released_to_fallen"], 0);
    let letters = &first["letters"];
    assert_eq!((&letters["planned"], &letters["accepted"]), (&300.into(), &300.into()));
    assert_eq!((&letters["missing"], &letters["duplicated"]), (&0.into(), &0.into()));
    assert_eq!(letters["staff"], 10);
    assert_eq!(first["notice"]["status"], 200);
    for number in
        [&first["loot"]["records"], &first["exposure"]["read"], &first["void"]["customers"]]
    {
        assert!(number.as_u64().unwrap() > 0, "{first:#}");
    }
    for seconds in [&first["seconds"], &first["void"]["seconds"], &letters["seconds"]] {
        assert!(seconds.as_f64().unwrap() > 0.0, "{first:#}");
    }
    assert!(first["checks"].as_array().unwrap().iter().all(|check| check["ok"] == true));

    let again = drill(["--customers", "300", "--seed", "7"]);
    assert_eq!(again["exposure"], first["exposure"]);
    assert_eq!(again["loot"], first["loot"]);
    let other = drill(["--customers", "300", "--seed", "8"]);
    assert_ne!(other["exposure"], first["exposure"]);
}

/// Checks with three seeds that the exposure is exactly what a fallen host gave up.
fn assert_exact(host: &str) {
    for seed in ["1", "2", "3"] {
        let report = drill(["--customers", "300", "--seed", seed, "--fallen", host]);
        let exposure = &report["exposure"];
        assert_eq!(report["ok"], true, "{host} {seed}: {report:#}");
        assert_eq!((&exposure["missed"], &exposure["wrong"]), (&0.into(), &0.into()));
    }
}

#[test]
fn what_a_fallen_accounts_gave_up_is_known() {
    assert_exact("accounts");
}

#[test]
fn what_a_fallen_payments_gave_up_is_known() {
    assert_exact("payments");
}

#[test]
fn what_a_fallen_keys_gave_up_is_known() {
    assert_exact("keys");
}

#[test]
fn what_a_fallen_database_gave_up_is_known() {
    assert_exact("database");
}

#[test]
fn what_a_fallen_response_gave_up_is_known() {
    assert_exact("response");
}

#[test]
fn what_a_fallen_relay_gave_up_is_known() {
    assert_exact("relay");
}

#[test]
fn the_conventional_shop_loses_everybody_and_ours_does_not() {
    let report = drill(["--customers", "300", "--flat"]);
    let (flat, loot) = (&report["flat"], &report["loot"]);
    assert_eq!((&flat["records_lost"], &report["ok"]), (&300.into(), &true.into()));
    assert!(flat["missed"].as_u64().unwrap() > 200, "{flat:#}");
    assert!(loot["records"].as_u64().unwrap() < 150, "{loot:#}");
}

#[tokio::test]
async fn an_estate_that_is_not_kept_leaves_nothing() {
    let temporary = tempfile::tempdir().unwrap();
    let mut command = cofferdam(["drill", "--customers", "100"]);
    let output = command.env("TMPDIR", temporary.path()).output().unwrap();
    assert!(stdout(&output).contains("Every check held"));
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn letters_go_to_the_named_relay() {
    let mail = tempfile::tempdir().unwrap();
    let relay = free_address().to_string();
    let dir = mail.path().to_str().unwrap();
    let _sink = Process::spawn(cofferdam(["sink", "serve", "--dir", dir, "--listen", &relay]));
    wait_until("the sink listens", async || tokio::net::TcpStream::connect(&relay).await.is_ok())
        .await;
    let result = drill(["--customers", "100", "--relay", &relay]);
    assert_eq!(result["ok"], true);
    let index = SinkIndex::load(mail.path()).unwrap();
    let counts: BTreeMap<&str, u64> = index.counts();
    assert_eq!(counts.len(), 110, "a hundred customers and ten of the staff");
    assert!(counts.values().all(|count| *count == 1), "{counts:?}");
}

#[tokio::test]
async fn a_shops_own_file_can_be_drilled_with() {
    let place = Place::new();
    let dir = place.dir.parent().unwrap();
    let file = dir.join("own.csv");
    let mut csv = customers(0..200);
    csv.extend_from_slice(b"Nobody,,,,,,US,KY,en,false,salted_sha1,salt,00\n");
    csv.extend_from_slice(
        format!("\"Two\nLines\",b@home.example,,,,,DE,,de,,salted_sha1,s,{:040x}\n", 1).as_bytes(),
    );
    csv.extend_from_slice(
        format!("Bare,bare@home.example,,,,,,,de,,salted_sha1,s,{:040x}\n", 1).as_bytes(),
    );
    fs::write(&file, csv).unwrap();
    let result = drill(["--file", file.to_str().unwrap(), "--dir", place.path()]);
    assert_eq!(result["ok"], true);
    // Fifty synthetic customers are added. The row without an address is refused, and so is the
    // name with a line break.
    assert_eq!(result["customers"], 251);

    let refused = run(["drill", "--file", file.to_str().unwrap(), "--relay", "192.0.2.1:25"]);
    assert_refused(&refused, "loopback");
}

/// With `--keep` the estate stays up, and its notice opens in a real browser.
#[tokio::test]
async fn a_browser_opens_the_notice() {
    let place = Place::new();
    let mut command =
        cofferdam(["drill", "--customers", "100", "--keep", "--json", "--dir", place.path()]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = Process::spawn(command);
    let stderr = process.child.stderr.take().unwrap();
    let up = BufReader::new(stderr).lines().map(Result::unwrap).any(|l| l.contains("stays up"));
    assert!(up, "the estate did not stay up");
    let stdout = process.child.stdout.as_mut().unwrap();
    let result: Value =
        serde_json::Deserializer::from_reader(stdout).into_iter().next().unwrap().unwrap();

    let profile = tempfile::tempdir().unwrap();
    let output = Command::new("/usr/bin/chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(["--dump-dom", result["notice"]["url"].as_str().unwrap()])
        .output()
        .expect("Chromium is installed: ./test does it");
    let page = String::from_utf8_lossy(&output.stdout);
    assert!(page.contains("Notice of Data Breach") && page.contains("<h1"), "{page}");

    process.signal(Signal::SIGTERM);
    assert!(process.child.wait().unwrap().success());
    assert!(place.dir.join("estate.toml").exists());
}
