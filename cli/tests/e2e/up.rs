//! `cofferdam up`: makes an estate once, runs it, and names the process that dies.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::ExitStatus;

use nix::sys::signal::{Signal, kill};

use estate::Compartment::{self, Accounts, Keys};

use crate::support::{Place, Up, assert_refused, pid_of, rest, run, wait_until};

/// Checks that no compartment of the estate runs.
fn nothing_runs(place: &Place) -> bool {
    Compartment::ALL.into_iter().all(|of| pid_of(place, of).is_none())
}

/// Waits for the end of `up`.
fn ended(up: &mut Up) -> ExitStatus {
    up.process.child.wait().unwrap()
}

#[tokio::test]
async fn a_second_run_takes_the_estate_that_is_there() {
    let place = Place::new();
    let mut up = Up::start(&place);
    place.import(5);
    let ca = fs::read(place.dir.join("ca/ca.pem")).unwrap();
    up.process.signal(Signal::SIGTERM);
    assert!(ended(&mut up).success(), "{}", rest(&mut up.process.child));
    assert!(nothing_runs(&place));

    let _up = Up::start(&place);
    assert_eq!(fs::read(place.dir.join("ca/ca.pem")).unwrap(), ca);
    let again = place.import(5);
    assert_eq!((&again["created"], &again["already_there"]), (&0.into(), &5.into()));
}

#[tokio::test]
async fn the_process_that_dies_is_named_and_the_others_are_stopped() {
    for victim in [Accounts, Keys] {
        let place = Place::new();
        let mut up = Up::start(&place);
        kill(pid_of(&place, victim).unwrap(), Signal::SIGKILL).unwrap();
        assert!(!ended(&mut up).success());
        let error = rest(&mut up.process.child);
        assert!(error.contains(&format!("{victim} died")), "{error}");
        assert!(error.contains("signal: 9") && error.contains(" INFO "), "{error}");
        assert!(nothing_runs(&place));
    }
}

#[tokio::test]
async fn no_compartment_outlives_up() {
    let place = Place::new();
    let mut up = Up::start(&place);
    up.process.signal(Signal::SIGKILL);
    ended(&mut up);
    wait_until("the compartments stop", async || nothing_runs(&place)).await;
}

#[tokio::test]
async fn only_the_owner_can_read_secrets() {
    let place = Place::new();
    drop(Up::start(&place));
    assert_eq!(mode(&place.dir), 0o700);
    let mut secrets = 0;
    walk(&place.dir, &mut |path| {
        let end = path.extension().and_then(|end| end.to_str());
        let staff = path.parent().is_some_and(|dir| dir.ends_with("staff"));
        if end == Some("key") || path.ends_with("key.pem") || staff {
            assert_eq!(mode(path), 0o600, "{}", path.display());
            secrets += 1;
        }
    });
    // The authority, the root key, three halves, the witness, the look-up key of the brought table, the key
    // of returned mail, two approvers with a key and a passphrase each, ten callers, four compartments.
    assert_eq!(secrets, 26);
}

#[tokio::test]
async fn a_directory_with_other_files_is_left_alone() {
    let place = Place::new();
    fs::create_dir(&place.dir).unwrap();
    fs::write(place.dir.join("thesis.txt"), "years of work").unwrap();
    for command in ["up", "drill"] {
        assert_refused(&run([command, "--dir", place.path()]), "is not empty");
    }
    assert_eq!(fs::read_dir(&place.dir).unwrap().count(), 1);
    assert_eq!(fs::read_dir(place.dir.parent().unwrap()).unwrap().count(), 1, "a draft is left");
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Shows every file below a directory to `see`.
fn walk(dir: &Path, see: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() { walk(&path, see) } else { see(&path) }
    }
}
