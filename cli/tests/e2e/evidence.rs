//! The bag of evidence, which verifies with nothing but itself and a key, and names every change
//! made to it. And the commands with which staff contain an incident.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use cofferdam_core::{Rng, SeededRng};

use crate::support::{Place, Process, assert_refused, json, run, stdout, wait_until};

/// An estate that a drill left running.
fn drilled() -> (Place, Process) {
    let place = Place::new();
    let mut drill = place.cofferdam(["drill", "--customers", "200", "--keep"]);
    drill.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut process = Process::spawn(drill);
    let lines = BufReader::new(process.child.stderr.take().unwrap()).lines();
    let up = lines.map_while(Result::ok).any(|line| line.contains("stays up"));
    assert!(up, "the drill did not hold");
    (place, process)
}

/// Every file below a directory.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_and_containment_after_a_drill() {
    let (place, _running) = drilled();
    let bag = place.dir.with_extension("bag");
    let out = bag.to_str().unwrap();
    let exported = json(&place.run(["evidence", "export", "1", "--out", out, "--json"]));
    let key = exported["key"].as_str().unwrap();
    assert!(exported["entries"].as_u64().unwrap() > 20, "{exported}");
    let verified = stdout(&run(["evidence", "verify", out, "--key", key]));
    for line in ["the chain is whole", "each proved to stand", "it holds what the entries show"] {
        assert!(verified.contains(line), "{verified}");
    }
    assert_refused(&place.run(["evidence", "export", "1", "--out", out]), "is there already");
    every_flipped_bit_is_named(&bag, key);

    contain(&place);
    void_by_one_person(&place).await;
    let journal = stdout(&place.run(["incident", "journal", "1"]));
    for act in ["declare", "freeze", "void", "evidence.seal", "budget", "void.some", "person"] {
        assert!(journal.contains(act), "{act}: {journal}");
    }
}

/// Flips single bits of files of the bag, each of which `verify` must name.
fn every_flipped_bit_is_named(bag: &Path, key: &str) {
    let (rng, all) = (SeededRng::new(7), files(bag));
    let below =
        |n: usize| usize::try_from(u64::from_be_bytes((&rng as &dyn Rng).bytes())).unwrap() % n;
    for _ in 0..40 {
        let path = &all[below(all.len())];
        let good = fs::read(path).unwrap();
        let mut bad = good.clone();
        let at = below(bad.len());
        bad[at] ^= 1 << below(8);
        fs::write(path, &bad).unwrap();
        let refused = run(["evidence", "verify", bag.to_str().unwrap(), "--key", key]);
        let name = path.strip_prefix(bag).unwrap().to_str().unwrap();
        let faults = String::from_utf8_lossy(&refused.stdout).into_owned();
        assert!(!refused.status.success() && faults.contains(name), "{name}, {at}: {faults}");
        fs::write(path, &good).unwrap();
    }
}

fn contain(place: &Place) {
    let person = stdout(&place.run(["incident", "person", "1", "5"]));
    assert!(person.starts_with("record 5: "), "{person}");
    let budget = ["incident", "budget", "1", "--caller", "web-ky-2"];
    let limits = ["--minute", "1", "--hour", "2", "--day", "3", "--reason", "it is next"];
    stdout(&place.cofferdam(budget).args(limits).output().unwrap());
    let shown = stdout(&place.run(["budgets", "show"]));
    assert!(shown.contains("web-ky-2"), "{shown}");
    let restore = ["--restore", "--reason", "it was not"];
    stdout(&place.cofferdam(budget).args(restore).output().unwrap());
    let mut freeze = place.cofferdam(["incident", "freeze", "1", "--caller", "mail-trap-1"]);
    let frozen = stdout(&freeze.args(["--reason", "to be sure"]).output().unwrap());
    assert!(frozen.contains("mail-trap-1 is frozen"), "{frozen}");
    let exposed = stdout(&place.run(["incident", "void", "1", "--exposed"]));
    assert!(exposed.contains("their sessions are over"), "{exposed}");
    let list = place.dir.with_extension("list");
    fs::write(&list, "3\n\nfour\n").unwrap();
    let bad = place.run(["incident", "void", "1", "--records", list.to_str().unwrap()]);
    assert_refused(&bad, "line 3: not a record number");
}

/// One person alone voids every credential of a second incident only by breaking the glass, which
/// rings an alarm.
async fn void_by_one_person(place: &Place) {
    let mut declare = place.cofferdam(["incident", "declare", "--title", "another incident"]);
    declare.args(["--fallen", "web-ky-2", "--from", "2012-01-15T00:00:00Z"]);
    stdout(&declare.args(["--found", "by chance"]).output().unwrap());
    let ann = format!("ann={}", place.file("staff/ann.pem"));
    let passphrase = format!("ann={}", place.file("staff/ann.passphrase"));
    let void = ["incident", "void", "2", "--everybody", "--approver", &ann];
    let mut alone = place.cofferdam(void);
    alone.args(["--passphrase-file", &passphrase]);
    assert_refused(&alone.output().unwrap(), "two people");
    let reason = ["--break-glass", "the second approver can't be reached"];
    stdout(&alone.args(reason).output().unwrap());
    wait_until("the broken glass rings", async || {
        stdout(&place.run(["incident", "alarms"])).contains("break_glass")
    })
    .await;
}
