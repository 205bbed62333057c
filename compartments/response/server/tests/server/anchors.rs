//! Anchoring the journals at `keys`, and what the other compartments saw of a release log.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cofferdam_core::{JournalHead, KeyBytes, Operation, SeenCheckpoint};
use cofferdam_tlog::Hash;
use cofferdam_tlog::notes::{NoteKey, NoteKind};
use cofferdam_wire::{CallError, ProblemType};
use keys_api::{AnchorJournal, JOURNAL_CONTRADICTS};
use response_api::*;

use crate::bench::{Bench, declare};

/// Makes a call as staff. Returns the answer and the warnings beside it.
async fn warned<C: cofferdam_core::Call>(
    bench: &Bench,
    call: C,
) -> (Result<C::Answer, CallError>, Vec<String>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let keep = told.clone();
    let client = bench.staff().on_warning(move |code| keep.lock().unwrap().push(code.to_owned()));
    let answer = client.call(&call).await;
    let warnings = told.lock().unwrap().clone();
    (answer, warnings)
}

async fn end(bench: &Bench, incident: IncidentId) -> JournalHead {
    journal_end(bench.journal(incident).await.last().unwrap())
}

fn anchored(bench: &Bench, incident: IncidentId) -> Vec<JournalHead> {
    let taken = bench.neighbours.taken::<AnchorJournal>("keys");
    taken.into_iter().filter(|of| of.journal == incident.0).map(|of| of.end).collect()
}

async fn rings(bench: &Bench, what: &str) -> bool {
    let alarms = bench.done(ListAlarms { after: 0 }).await;
    alarms.iter().any(|alarm| alarm.detail.contains(what))
}

fn budget(incident: IncidentId) -> LowerBudget {
    LowerBudget {
        incident,
        caller: "web-ky-2".parse().unwrap(),
        operation: Operation::Release,
        budget: Some(serde_json::json!({"minute": 1, "hour": 1, "day": 1})),
        order: None,
        reason: "a test".parse().unwrap(),
    }
}

#[tokio::test]
async fn an_act_and_a_view_are_anchored_before_they_are_answered() {
    let bench = Bench::start().await;
    let (incident, warnings) = warned(&bench, declare()).await;
    let incident = incident.unwrap().incident;
    assert_eq!(anchored(&bench, incident).last(), Some(&end(&bench, incident).await));
    assert_eq!(warnings, [""; 0]);
    bench.done(ReadGrounds { incident }).await;
    assert_eq!(anchored(&bench, incident).last(), Some(&end(&bench, incident).await));
    let before = bench.neighbours.taken::<AnchorJournal>("keys").len();
    bench.done(ListIncidents {}).await;
    assert_eq!(bench.neighbours.taken::<AnchorJournal>("keys").len(), before);
}

#[tokio::test]
async fn acts_that_arrive_together_share_an_anchor() {
    let bench = Arc::new(Bench::start().await);
    let incident = bench.declare().await;
    let held = bench.neighbours.hold::<AnchorJournal>("keys");
    let acts: Vec<_> = (0..6)
        .map(|_| {
            let bench = bench.clone();
            tokio::spawn(async move { bench.done(budget(incident)).await })
        })
        .collect();
    // Each act is journalled as intended and as done.
    while bench.journal(incident).await.len() < 13 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let before = anchored(&bench, incident).len();
    held.add_permits(100);
    for act in acts {
        act.await.unwrap();
    }
    while anchored(&bench, incident).last() != Some(&end(&bench, incident).await) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(anchored(&bench, incident).len() <= before + 2, "one in flight, and one for the rest");
}

#[tokio::test]
async fn while_keys_is_down_acts_are_done_and_their_answers_say_that_they_are_not_anchored() {
    let bench = Bench::start().await;
    bench.neighbours.refuse::<AnchorJournal>("keys", ProblemType::UNAVAILABLE);
    let (incident, warnings) = warned(&bench, declare()).await;
    let incident = incident.unwrap().incident;
    assert_eq!(warnings, [JOURNAL_NOT_ANCHORED]);
    assert_eq!(bench.journal(incident).await.len(), 1, "the act is done once");
    assert!(rings(&bench, "before its journal was anchored").await);
    let (_, health) = bench.staff().health().await.unwrap();
    assert!(health.contains("journal: the journals are not anchored"), "{health}");
    bench.neighbours.relent();
    // The loop anchors without another act.
    while anchored(&bench, incident).len() < 2 || bench.staff().health().await.unwrap().1 != "ok" {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (_, warnings) = warned(&bench, ReadGrounds { incident }).await;
    assert_eq!(warnings, [""; 0]);
}

#[tokio::test]
async fn an_act_is_done_with_every_neighbour_gone() {
    let bench = Bench::start_alone().await;
    let (declared, warnings) = warned(&bench, declare()).await;
    assert_eq!(warnings, [JOURNAL_NOT_ANCHORED]);
    assert_eq!(bench.journal(declared.unwrap().incident).await.len(), 1);
}

#[tokio::test]
async fn a_journal_that_keys_refuses_rings_and_is_a_doubt() {
    let bench = Bench::start().await;
    bench.neighbours.refuse::<AnchorJournal>("keys", JOURNAL_CONTRADICTS);
    let incident = bench.declare().await;
    assert!(rings(&bench, "is not the one that was anchored").await);
    let exposure = bench.done(ScopeIncident { incident, from_log: false }).await;
    let is_it = |of: &Doubt| matches!(of.cause, DoubtCause::JournalRewritten { incident: of, .. } if of == incident.0);
    assert!(exposure.doubts.iter().any(is_it), "{:?}", exposure.doubts);
    let (_, health) = bench.staff().health().await.unwrap();
    assert!(health.contains("was changed on response"), "{health}");
}

/// A log that `accounts` saw and that has no copy here: our copy was emptied, or follows another log.
#[tokio::test]
async fn a_log_that_accounts_saw_and_we_do_not_have_counts_as_read_and_rings() {
    let bench = Bench::start().await;
    let incident = bench.declare().await;
    let key = NoteKey::new(NoteKind::Log, "keys.example/log", &KeyBytes::new([1; 32])).unwrap();
    bench.neighbours.book().seen = vec![SeenCheckpoint {
        log: "keys.example/log".to_owned(),
        log_key: key.verifier(),
        size: 9,
        note: key.checkpoint(9, Hash([1; 32])).unwrap(),
        seen: crate::bench::NOW.parse().unwrap(),
    }];
    let exposure = bench.done(ScopeIncident { incident, from_log: false }).await;
    let rewritten = exposure.doubts.iter().find(
        |of| matches!(&of.cause, DoubtCause::LogRewritten { witness, .. } if witness == "accounts"),
    );
    assert!(rewritten.is_some_and(|of| of.counts_as_read), "{:?}", exposure.doubts);
    assert!(rings(&bench, "was rewritten or emptied: accounts saw another state").await);
}
