//! Closing an incident.

use cofferdam_core::{Field, Operation, Personal, Record};
use response_api::*;

use crate::bench::{Bench, NOW};
use crate::contain::freeze;

pub fn close(incident: IncidentId) -> CloseIncident {
    CloseIncident { incident, reason: "the server was rebuilt".parse().unwrap() }
}

#[tokio::test]
async fn an_incident_is_closed_once() {
    let bench = Bench::start_alone().await;
    let incident = bench.declare().await;
    let closed = bench.done(close(incident)).await;
    assert_eq!(closed.closed.unwrap().to_string(), NOW);
    bench.refused(close(incident), INCIDENT_CLOSED).await;
    let entry = bench.journal(incident).await.pop().unwrap();
    assert_eq!((entry.action.as_str(), entry.number), ("close", 2));
    assert_eq!(entry.detail, "the server was rebuilt");
}

/// A scoped incident about a table with an approved letter to customers and a planned one to staff.
async fn closed_with_letters(bench: &Bench) -> (IncidentId, LetterDraft, LetterId) {
    let incident = bench.scoped_table().await;
    let customers = bench.plan(incident, Audience::Customers).await;
    let staff = bench.plan(incident, Audience::Staff).await;
    let draft = bench.approve(customers).await;
    bench.done(freeze(incident, true)).await;
    bench.done(close(incident)).await;
    (incident, draft, staff)
}

#[tokio::test]
async fn nothing_is_ordered_for_a_closed_incident() {
    let bench = Bench::start().await;
    let (incident, draft, staff) = closed_with_letters(&bench).await;
    let letter = draft.letter;
    let before = bench.journal(incident).await;
    bench.refused(ScopeIncident { incident, from_log: false }, INCIDENT_CLOSED).await;
    bench.refused(freeze(incident, true), INCIDENT_CLOSED).await;
    let budget = LowerBudget {
        incident,
        caller: "web-ky-1".parse().unwrap(),
        operation: Operation::Release,
        budget: Some(serde_json::json!({"minute": 1, "hour": 1, "day": 1})),
        order: None,
        reason: "the budget was too low".parse().unwrap(),
    };
    bench.refused(budget, INCIDENT_CLOSED).await;
    bench
        .refused(
            VoidCredentials { incident, whose: VoidWhose::Exposed, set_before: None },
            INCIDENT_CLOSED,
        )
        .await;
    bench.refused(crate::void::void_order(incident), INCIDENT_CLOSED).await;
    bench.refused(PlanLetter { incident, audience: Audience::Staff }, INCIDENT_CLOSED).await;
    bench.refused(DraftLetter { letter: staff }, INCIDENT_CLOSED).await;
    bench.refused(crate::orders::warrant_order(&draft.warrant), INCIDENT_CLOSED).await;
    let test = TestLetter {
        letter,
        version: draft.version,
        variant: 0,
        to: Personal::new("ada@shoeleather.example"),
    };
    bench.refused(test, INCIDENT_CLOSED).await;
    let start = StartLetter { letter, before_staff: Some("there are no staff".parse().unwrap()) };
    bench.refused(start, INCIDENT_CLOSED).await;
    bench.refused(DraftPaperPost { letter }, INCIDENT_CLOSED).await;
    bench.refused(PublishNotice { incident }, INCIDENT_CLOSED).await;
    assert_eq!(bench.journal(incident).await, before);
}

#[tokio::test]
async fn a_closed_incident_is_still_read() {
    let bench = Bench::start().await;
    let (incident, draft, _) = closed_with_letters(&bench).await;
    let letter = draft.letter;
    assert!(bench.done(ListIncidents {}).await[0].closed.is_some());
    bench.done(ReadExposure { incident, level: Level::Read, field: Field::Phone }).await;
    bench.done(ReadPerson { incident, record: Record(0) }).await;
    bench.done(ReadGrounds { incident }).await;
    assert_eq!(bench.done(ReadLetter { letter }).await.version, Some(draft.version));
    let read = ReadLedger { letter, from: 0, limit: 9, state: None };
    assert_eq!(bench.done(read).await.len(), 3);
    let report = bench.done(MakeReport { incident }).await;
    assert!(report.incident.closed.is_some());
    assert!(report.exposure.is_some());
    assert_eq!(report.letters.len(), 2);
    assert!(report.html.contains("one app server"));
}

#[tokio::test]
async fn a_caller_is_thawed_after_the_incident_was_closed() {
    let bench = Bench::start().await;
    let (incident, ..) = closed_with_letters(&bench).await;
    bench.done(freeze(incident, false)).await;
    for name in ["keys", "accounts", "payments"] {
        assert_eq!(crate::contain::frozen_at(&bench, name), [true, false], "{name}");
    }
    let done = Some(ActStage::Done);
    assert_eq!(bench.last_acts(incident).await, [("thaw".to_owned(), done)]);
}

#[tokio::test]
async fn an_incident_whose_letter_is_being_sent_stays_open() {
    let bench = Bench::start().await;
    let (incident, letter) = bench.running_letter().await;
    bench.refused(close(incident), LETTER_RUNNING).await;
    bench.done(PauseLetter { letter }).await;
    bench.done(close(incident)).await;
    // A paused letter is not resumed, but it can be stopped for good.
    bench.refused(StartLetter { letter, before_staff: None }, INCIDENT_CLOSED).await;
    let stop = StopLetter { letter, reason: "it is over".parse().unwrap() };
    assert_eq!(bench.done(stop).await.state, LetterState::Stopped);
}

#[tokio::test]
async fn an_incident_that_is_closed_while_it_is_scoped_keeps_no_exposure() {
    let bench = Bench::start().await;
    let incident = bench.declare().await;
    let permits = bench.neighbours.hold::<accounts_api::ReadActivity>("accounts");
    let staff = bench.staff();
    let scope = ScopeIncident { incident, from_log: false };
    let scoped = tokio::spawn(async move { staff.call(&scope).await });
    bench.neighbours.until_taken::<accounts_api::ReadActivity>("accounts").await;
    bench.done(close(incident)).await;
    permits.add_permits(1);
    let refused = scoped.await.unwrap().unwrap_err();
    assert!(refused.is(INCIDENT_CLOSED), "{refused}");
    assert_eq!(bench.done(MakeReport { incident }).await.exposure, None);
}
