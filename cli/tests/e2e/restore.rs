//! A compartment that lost its database: it refuses to start, and goes on only when staff accept the
//! loss.

use std::fs;

use estate::Compartment;
use response_api::{DeclareIncident, DoubtCause, People, ScopeIncident};

use crate::support::{Place, assert_refused, json, run, stdout};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_database_is_told_accepted_and_counted() {
    let place = Place::with_estate().await;
    let mut running = place.serve_all().await;
    place.import(30);
    let accounts = place.dir.join("accounts");
    drop(running.remove(1));
    for end in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(accounts.join(format!("accounts.db{end}")));
    }
    let config = accounts.join("accounts.toml");
    let config = config.to_str().unwrap();
    let refused = run(["accounts", "serve", "--config", config]);
    assert_refused(&refused, "cofferdam accounts restore");
    let restore = |more: &[&str]| {
        let mut command = crate::support::cofferdam(["accounts", "restore", "--config", config]);
        command.args(more);
        command
    };
    let found = json(restore(&[]));
    assert_eq!((&found["standing"], &found["accepted"]), (&"missing".into(), &false.into()));
    let given = found["numbers_given"].as_u64().unwrap();
    assert!(given >= 30, "{found}");
    let accepted = stdout(&restore(&["--accept", "--yes"]).output().unwrap());
    assert!(accepted.contains("cofferdam accounts init"), "{accepted}");
    stdout(&place.init(Compartment::Accounts));
    running.push(place.serve(Compartment::Accounts).await);

    let staff = place.staff();
    let declare = DeclareIncident {
        title: "one app server".to_owned(),
        fallen: vec!["web-ky-1".parse().unwrap()],
        from: "2012-01-14T22:00:00Z".parse().unwrap(),
        to: None,
        found: "a test".to_owned(),
        people: People::Accounts,
        unlisted: vec![],
    };
    let incident = staff.call(&declare).await.unwrap().incident;
    let exposure = staff.call(&ScopeIncident { incident, from_log: false }).await.unwrap();
    let lost = exposure.doubts.iter().find_map(|doubt| match doubt.cause {
        DoubtCause::NumbersLost { from, to, .. } => Some((from, u64::from(to))),
        _ => None,
    });
    assert_eq!(lost, Some((0, given)));
}
