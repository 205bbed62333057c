//! The bag of evidence: it verifies with a key and nothing else, and every change of it is named.
//! The commands with which staff contain an incident are tested as well.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use cofferdam_core::{Rng, SeededRng};

use crate::support::{Place, Process, assert_refused, cofferdam, json, run, stdout, wait_until};

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
    let exported = place.json(["evidence", "export", "--incident", "1", "--out", out]);
    let key = exported["key"].as_str().unwrap();
    assert!(exported["entries"].as_u64().unwrap() > 20, "{exported}");
    let verified = json(cofferdam(["evidence", "verify", out, "--key", key])).to_string();
    for line in ["the chain is whole", "each proved to stand", "it holds what the entries show"] {
        assert!(verified.contains(line), "{verified}");
    }
    let again = place.run(["evidence", "export", "--incident", "1", "--out", out]);
    assert_refused(&again, "is there already");
    every_flipped_bit_is_named(&bag, key);

    contain(&place);
    void_by_one_person(&place).await;
    amend_and_close(&place);
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
    assert!(person.starts_with("record 5, customer number "), "{person}");
    let budget = ["--incident", "1", "--caller", "web-ky-2", "--reason", "it is next"];
    let mut lower =
        place.cofferdam(["budget", "lower", "--minute", "1", "--hour", "2", "--day", "3"]);
    lower.args(budget);
    assert_eq!(json(lower)["lowered"]["hour"], 2);
    let budgets = place.json(["budget", "list"]);
    let caller = |name| budgets.as_array().unwrap().iter().find(|of| of["caller"] == name);
    assert_eq!(caller("web-ky-2").unwrap()["budgets"]["release_present"]["day"], 3, "{budgets}");
    let mut restore = place.cofferdam(["budget", "restore"]);
    assert_refused(&restore.args(budget).output().unwrap(), "--approver");
    stdout(&restore.args(place.approver()).output().unwrap());
    let budgets = place.json(["budget", "list"]);
    let caller = |name| budgets.as_array().unwrap().iter().find(|of| of["caller"] == name);
    assert_ne!(caller("web-ky-2").unwrap()["budgets"]["release_present"]["day"], 3, "{budgets}");
    let trap = ["1", "--caller", "mail-trap-1", "--reason", "to be sure"];
    let mut freeze = place.cofferdam(["incident", "freeze"]);
    let frozen = stdout(&freeze.args(trap).output().unwrap());
    assert!(frozen.contains("mail-trap-1 is frozen"), "{frozen}");
    let mut thaw = place.cofferdam(["incident", "thaw"]);
    assert_refused(&thaw.args(trap).output().unwrap(), "--same-key");
    let mut thaw = place.cofferdam(["incident", "thaw"]);
    thaw.args(trap).arg("--same-key").args(place.approver());
    assert_eq!(json(thaw)["frozen"], false);
    assert_refused(&place.run(["incident", "void", "1", "--exposed"]), "--yes");
    let exposed = stdout(&place.run(["incident", "void", "1", "--exposed", "--yes"]));
    assert!(exposed.contains("customers are void"), "{exposed}");
    let list = place.dir.with_extension("list");
    fs::write(&list, "3\n\nfour\n").unwrap();
    let bad = place.run(["incident", "void", "1", "--records", list.to_str().unwrap(), "--yes"]);
    assert_refused(&bad, "line 3: not a record number");
}

/// One person alone can void every credential for a second incident only by breaking the glass,
/// which rings an alarm.
async fn void_by_one_person(place: &Place) {
    let mut declare = place.cofferdam(["incident", "declare", "--title", "another incident"]);
    declare.args(["--fallen", "web-ky-2", "--from", "2012-01-15T00:00:00Z"]);
    stdout(&declare.args(["--found", "by chance"]).output().unwrap());
    let ann = place.approvers();
    let sign = |order: &str| {
        stdout(&place.cofferdam(["order", "sign", order]).args(&ann[..4]).output().unwrap());
    };
    let two = place.file("two.order");
    stdout(&place.run(["order", "draft", "void", "--incident", "2", "--out", &two]));
    sign(&two);
    assert_refused(&place.run(["order", "apply", &two, "--yes"]), "two people and has 1");
    let (some, list) = (place.file("some.order"), place.dir.with_extension("some"));
    fs::write(&list, "3\n70000\n").unwrap();
    let mut draft = place.cofferdam(["order", "draft", "void", "--incident", "2", "--out", &some]);
    let drafted = stdout(&draft.arg("--records").arg(&list).output().unwrap());
    assert!(drafted.contains("Void the credentials of 2 customers"), "{drafted}");
    sign(&some);
    assert_refused(&place.run(["order", "apply", &some, "--yes"]), "two people and has 1");
    place.sign_and_apply(&some);
    let one = place.file("one.order");
    let mut alone = place.cofferdam(["order", "draft", "void", "--incident", "2", "--out", &one]);
    let reason = ["--break-glass", "the second approver can't be reached"];
    stdout(&alone.args(reason).output().unwrap());
    sign(&one);
    let voided = place.json(["order", "apply", &one, "--yes"]);
    assert_eq!(voided["kind"], "void", "{voided}");
    wait_until("the broken glass rings", async || {
        place.json(["alarm", "list"]).to_string().contains("break_glass")
    })
    .await;
}

/// Another host is named before letters go out, and a closed incident takes no further act.
fn amend_and_close(place: &Place) {
    let mut amend = place.cofferdam(["incident", "amend", "2", "--add-fallen", "web-ky-1"]);
    amend.args(["--reason", "the thief came from there"]);
    assert_eq!(json(amend)["fallen"].as_array().unwrap().len(), 2);
    let close = ["incident", "close", "2", "--reason", "it is rebuilt"];
    assert_refused(&place.run(close), "--yes");
    let mut close = place.cofferdam(close);
    close.arg("--yes");
    assert!(json(close)["closed"].is_string());
    assert_refused(&place.run(["incident", "scope", "2"]), "declare another incident");
    assert!(place.json(["incident", "show", "2"])["closed"].is_string());
    let journal = place.json(["incident", "journal", "2"]).to_string();
    for act in ["amend", "close", "web-ky-1", "it is rebuilt"] {
        assert!(journal.contains(act), "{act}: {journal}");
    }
}
