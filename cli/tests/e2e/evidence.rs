//! The bag of evidence: it verifies with nothing but itself and a key, and whatever is done to it
//! is named. And what is done to contain an incident, by the commands that staff have.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use cofferdam_core::{Rng, SeededRng};
use serde_json::Value;

use crate::support::{Place, Process, cofferdam, run, said};

/// An estate on which a drill was held, which stays up.
fn drilled() -> (Place, Process) {
    let place = Place::new();
    let mut drill = cofferdam(["drill", "--customers", "200", "--keep", "--dir", place.path()]);
    drill.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut process = Process::spawn(drill);
    let lines = BufReader::new(process.child.stderr.take().unwrap()).lines();
    let up = lines.map_while(Result::ok).any(|line| line.contains("stays up"));
    assert!(up, "the drill did not hold");
    (place, process)
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn ok<const N: usize>(args: [&str; N]) -> String {
    let output = run(args);
    assert!(output.status.success(), "{args:?}: {}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn evidence_and_containment_after_a_drill() {
    let (place, _running) = drilled();
    let (dir, bag) = (place.path(), place.dir.with_extension("bag"));
    let out = bag.to_str().unwrap();
    let made = ok(["evidence", "export", "1", "--dir", dir, "--out", out, "--json"]);
    let made: Value = serde_json::from_str(&made).unwrap();
    let key = made["key"].as_str().unwrap();
    assert!(made["entries"].as_u64().unwrap() > 20, "{made}");
    let verified = ok(["evidence", "verify", out, "--key", key]);
    for line in ["the chain is whole", "each proved to stand", "it holds what the entries show"] {
        assert!(verified.contains(line), "{verified}");
    }
    let again = run(["evidence", "export", "1", "--dir", dir, "--out", out]);
    assert!(!again.status.success() && said(&again).contains("is there already"));

    let (rng, all) = (SeededRng::new(7), files(&bag));
    let below =
        |n: usize| usize::try_from(u64::from_be_bytes((&rng as &dyn Rng).bytes())).unwrap() % n;
    for _ in 0..40 {
        let path = &all[below(all.len())];
        let good = fs::read(path).unwrap();
        let mut bad = good.clone();
        let at = below(bad.len());
        bad[at] ^= 1 << below(8);
        fs::write(path, &bad).unwrap();
        let refused = run(["evidence", "verify", out, "--key", key]);
        let name = path.strip_prefix(&bag).unwrap().to_str().unwrap();
        let told = String::from_utf8_lossy(&refused.stdout).into_owned();
        assert!(!refused.status.success() && told.contains(name), "{name}, {at}: {told}");
        fs::write(path, &good).unwrap();
    }
    contain(dir, &place);
    let journal = ok(["incident", "journal", "1", "--dir", dir]);
    for act in ["declare", "freeze", "void", "evidence.seal", "budget", "void.some", "person"] {
        assert!(journal.contains(act), "{act}: {journal}");
    }
}

fn contain(dir: &str, place: &Place) {
    let number = ok(["incident", "person", "1", "5", "--dir", dir]);
    assert!(number.starts_with("record 5: "), "{number}");
    ok([
        "incident",
        "budget",
        "1",
        "--caller",
        "web-ky-2",
        "--minute",
        "1",
        "--hour",
        "2",
        "--day",
        "3",
        "--reason",
        "it is next",
        "--dir",
        dir,
    ]);
    let shown = ok(["budgets", "show", "--dir", dir]);
    assert!(shown.contains("web-ky-2"), "{shown}");
    ok([
        "incident",
        "budget",
        "1",
        "--caller",
        "web-ky-2",
        "--restore",
        "--reason",
        "it was not",
        "--dir",
        dir,
    ]);
    let frozen = ok([
        "incident",
        "freeze",
        "1",
        "--caller",
        "mail-trap-1",
        "--reason",
        "to be sure",
        "--dir",
        dir,
    ]);
    assert!(frozen.contains("mail-trap-1 is frozen"), "{frozen}");
    let exposed = ok(["incident", "void", "1", "--exposed", "--dir", dir]);
    assert!(exposed.contains("their sessions are over"), "{exposed}");
    let list = place.dir.with_extension("list");
    fs::write(&list, "3\n\nfour\n").unwrap();
    let list = list.to_str().unwrap();
    let bad = run(["incident", "void", "1", "--records", list, "--dir", dir]);
    assert!(said(&bad).contains("line 3: not a record number"), "{}", said(&bad));

    // A second incident, for an order over everybody that one person gives.
    let from = "2012-01-15T00:00:00Z";
    ok([
        "incident",
        "declare",
        "--title",
        "again",
        "--fallen",
        "web-ky-2",
        "--from",
        from,
        "--found",
        "by chance",
        "--dir",
        dir,
    ]);
    let staff = place.dir.join("staff");
    let ann = format!("ann={}", staff.join("ann.pem").display());
    let pass = format!("ann={}", staff.join("ann.passphrase").display());
    let alone = run([
        "incident",
        "void",
        "2",
        "--everybody",
        "--approver",
        &ann,
        "--passphrase-file",
        &pass,
        "--dir",
        dir,
    ]);
    assert!(!alone.status.success(), "{}", said(&alone));
    ok([
        "incident",
        "void",
        "2",
        "--everybody",
        "--approver",
        &ann,
        "--passphrase-file",
        &pass,
        "--break-glass",
        "the second approver can't be reached",
        "--dir",
        dir,
    ]);
    std::thread::sleep(std::time::Duration::from_secs(2));
    let alarms = ok(["incident", "alarms", "--dir", dir]);
    assert!(alarms.contains("break_glass"), "{alarms}");
}
