//! `cofferdam up`: makes an estate once, runs it, and says what dies.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::ExitStatus;

use nix::sys::signal::{Signal, kill};

use crate::support::{Place, Up, pid_of, rest, until};

const COMPARTMENTS: [&str; 4] = ["keys", "accounts", "payments", "response"];

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
    assert!(COMPARTMENTS.iter().all(|name| pid_of(&place, name).is_none()));

    let _up = Up::start(&place);
    assert_eq!(fs::read(place.dir.join("ca/ca.pem")).unwrap(), ca);
    let again = place.import(5);
    assert_eq!((&again["created"], &again["already_there"]), (&0.into(), &5.into()));
}

#[tokio::test]
async fn whoever_dies_is_named_and_the_rest_are_stopped() {
    for victim in ["accounts", "keys"] {
        let place = Place::new();
        let mut up = Up::start(&place);
        kill(pid_of(&place, victim).unwrap(), Signal::SIGKILL).unwrap();
        assert!(!ended(&mut up).success());
        let said = rest(&mut up.process.child);
        assert!(said.contains(&format!("{victim} died")), "{said}");
        assert!(said.contains("signal: 9") && said.contains("listening"), "{said}");
        assert!(COMPARTMENTS.iter().all(|name| pid_of(&place, name).is_none()));
    }
}

#[tokio::test]
async fn no_compartment_outlives_it() {
    let place = Place::new();
    let mut up = Up::start(&place);
    up.process.signal(Signal::SIGKILL);
    ended(&mut up);
    until("the compartments stop", async || {
        COMPARTMENTS.iter().all(|name| pid_of(&place, name).is_none())
    })
    .await;
}

#[tokio::test]
async fn what_is_secret_is_the_owners_alone() {
    let place = Place::new();
    place.make();
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
    // The authority, the root key, the witness, the look-up key of the roster, two approvers' keys and passphrases, eight callers, four
    // compartments.
    assert_eq!(secrets, 20);
}

#[tokio::test]
async fn a_directory_that_holds_something_else_is_left_alone() {
    let place = Place::new();
    fs::create_dir(&place.dir).unwrap();
    fs::write(place.dir.join("thesis.txt"), "years of work").unwrap();
    for command in ["up", "drill"] {
        let output = crate::support::run([command, "--dir", place.path()]);
        assert!(!output.status.success());
        assert!(crate::support::said(&output).contains("is not empty"), "{command}");
    }
    assert_eq!(fs::read_dir(&place.dir).unwrap().count(), 1);
    assert_eq!(fs::read_dir(place.dir.parent().unwrap()).unwrap().count(), 1, "no draft is left");
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn walk(dir: &Path, see: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() { walk(&path, see) } else { see(&path) }
    }
}
