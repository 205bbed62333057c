//! Alarms.

use cofferdam_core::Timestamp;
use keys_api::{Alarm, AlarmKind};
use response_api::{ListAlarms, MakeReport, ScopeIncident};

use crate::bench::Bench;

fn alarm(seq: u64, kind: AlarmKind, at: &str) -> Alarm {
    let at: Timestamp = at.parse().unwrap();
    Alarm {
        seq,
        first: at,
        last: at,
        kind,
        caller: Some("web-ky-1".parse().unwrap()),
        count: 3,
        detail: "web-ky-1 opened decoy 32".to_owned(),
    }
}

/// A scope copies the alarms at once; the loop would do it within a second.
#[tokio::test]
async fn the_alarms_of_keys_are_listed_and_reported() {
    let bench = Bench::start().await;
    let incident = bench.declare().await;
    bench.neighbours.book().alarms = vec![
        alarm(3, AlarmKind::Budget, "2012-01-14T21:00:00Z"),
        alarm(4, AlarmKind::Decoy, "2012-01-15T04:30:00Z"),
    ];
    bench.done(ScopeIncident { incident, from_log: false }).await;
    let alarms = bench.done(ListAlarms { after: 0 }).await;
    let kinds: Vec<_> = alarms.iter().map(|alarm| alarm.kind.as_str()).collect();
    assert_eq!(kinds, ["budget", "decoy"]);
    let decoy = &alarms[1];
    assert_eq!((decoy.count, decoy.detail.as_str()), (3, "web-ky-1 opened decoy 32"));
    assert_eq!(decoy.caller, Some("web-ky-1".parse().unwrap()));
    let newer = bench.done(ListAlarms { after: alarms[0].seq }).await;
    assert_eq!(newer, alarms[1..]);
    // The window begins at ten in the evening.
    let report = bench.done(MakeReport { incident }).await;
    assert_eq!(report.alarms, alarms[1..]);
    assert!(report.html.contains("web-ky-1 opened decoy 32"));
}

#[tokio::test]
async fn an_alarm_that_rings_again_comes_again() {
    let bench = Bench::start().await;
    let incident = bench.declare().await;
    let first = alarm(4, AlarmKind::Decoy, "2012-01-15T04:30:00Z");
    bench.neighbours.book().alarms = vec![first.clone()];
    bench.done(ScopeIncident { incident, from_log: false }).await;
    let seen = bench.done(ListAlarms { after: 0 }).await;
    bench.neighbours.book().alarms = vec![Alarm { seq: 5, count: 9, ..first }];
    bench.done(ScopeIncident { incident, from_log: false }).await;
    let again = bench.done(ListAlarms { after: seen[0].seq }).await;
    assert_eq!(again.len(), 1);
    assert_eq!((again[0].count, again[0].first), (9, seen[0].first));
    assert_eq!(bench.done(ListAlarms { after: 0 }).await, again, "it is one alarm");
}
