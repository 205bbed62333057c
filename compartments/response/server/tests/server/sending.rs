//! Starting letters, pausing and stopping them, and settling doubts.

use cofferdam_wire::ProblemType;
use keys_api::CloseWarrant;
use response_api::{
    ActStage, Audience, GATE_CLOSED, LETTER_NOT_APPROVED, LETTER_NOT_RUNNING, LETTER_RUNNING,
    LETTER_STOPPED, LetterId, LetterState, PauseLetter, PauseProvider, ReadLetter, Relayed,
    ResumeProvider, STAFF_FIRST, SettleLetter, StartLetter, StopLetter,
};
use response_server::GateConfig;
use testkit::Dns;

use crate::bench::{Bench, NOW};
use crate::neighbours::WARRANT;

const fn start(letter: LetterId) -> StartLetter {
    StartLetter { letter, before_staff: None }
}

fn stop(letter: LetterId) -> StopLetter {
    StopLetter { letter, reason: "a wrong address".parse().unwrap() }
}

#[tokio::test]
async fn only_an_approved_letter_starts() {
    let bench = Bench::start().await;
    let incident = bench.scoped_table().await;
    let letter = bench.plan(incident, Audience::Staff).await;
    bench.refused(start(letter), LETTER_NOT_APPROVED).await;
    bench.refused(PauseLetter { letter }, LETTER_NOT_RUNNING).await;
    let draft = bench.approve(letter).await;
    let status = bench.done(start(letter)).await;
    assert_eq!(status.state, LetterState::Running);
    assert_eq!(status.started.unwrap().to_string(), NOW);
    let entry = bench.journal(incident).await.pop().unwrap();
    let version = draft.version;
    let detail = format!("letter 1 to staff, version {version}; gate open: a test");
    assert_eq!((entry.action.as_str(), entry.detail), ("letters.start", detail));
}

#[tokio::test]
async fn customers_are_written_to_after_staff() {
    let bench = Bench::start().await;
    let incident = bench.scoped_table().await;
    let customers = bench.plan(incident, Audience::Customers).await;
    bench.approve(customers).await;
    let refused = bench.refused(start(customers), STAFF_FIRST).await;
    assert_eq!(refused.detail, "no letter to staff is planned");
    bench.plan(incident, Audience::Staff).await;
    let refused = bench.refused(start(customers), STAFF_FIRST).await;
    assert_eq!(refused.detail, "0 of 2 letters to staff are accepted");
    let for_reason = |reason: &str| StartLetter {
        letter: customers,
        before_staff: Some(reason.parse().unwrap()),
    };
    bench.done(for_reason("the press knows")).await;
    let entry = bench.journal(incident).await.pop().unwrap();
    assert!(entry.detail.contains("; before staff, because the press knows; "), "{}", entry.detail);
}

#[tokio::test]
async fn a_closed_gate_keeps_a_letter_from_starting() {
    let dns = Dns::start().await;
    let resolver = dns.address();
    let bench = Bench::start_with(|config, _| {
        config.letters.gate = GateConfig::Checked {
            resolver: Some(resolver),
            sends_from: vec!["192.0.2.25".parse().unwrap()],
            helo: "relay.shoeleather.example".to_owned(),
            relay_key: None,
        };
    })
    .await;
    let incident = bench.scoped_table().await;
    let letter = bench.plan(incident, Audience::Staff).await;
    bench.approve(letter).await;
    let refused = bench.refused(start(letter), GATE_CLOSED).await;
    assert!(refused.detail.contains("SPF"), "each failed check is named: {}", refused.detail);
    assert_eq!(bench.done(ReadLetter { letter }).await.state, LetterState::Planned);
}

#[tokio::test]
async fn a_letter_is_paused_and_resumed() {
    let bench = Bench::start().await;
    let (incident, letter) = bench.running_letter().await;
    let paused = bench.done(PauseLetter { letter }).await;
    assert_eq!(paused.state, LetterState::Paused);
    bench.refused(PauseLetter { letter }, LETTER_NOT_RUNNING).await;
    assert_eq!(bench.done(start(letter)).await.state, LetterState::Running);
    let acts = ["letters.start", "letters.pause", "letters.start"];
    assert_eq!(bench.last_acts(incident).await, acts.map(|act| (act.to_owned(), None)));
}

#[tokio::test]
async fn a_stopped_letter_takes_a_new_approval() {
    let bench = Bench::start().await;
    let (incident, letter) = bench.running_letter().await;
    let stopped = bench.done(stop(letter)).await;
    assert_eq!(stopped.state, LetterState::Stopped);
    let stored = bench.store().await.letter(letter).await.unwrap().unwrap();
    assert_eq!(stored.trouble, "a wrong address");
    assert_eq!(bench.neighbours.taken::<CloseWarrant>("keys")[0].warrant, WARRANT);
    let stages = [ActStage::Intended, ActStage::Done];
    let acts = stages.map(|stage| ("letters.stop".to_owned(), Some(stage)));
    assert_eq!(bench.last_acts(incident).await, acts);
    bench.refused(start(letter), LETTER_STOPPED).await;
    bench.approve(letter).await;
    assert_eq!(bench.done(start(letter)).await.state, LetterState::Running);
}

/// The letter stops before the warrant is closed. The journal says that the warrant is still open.
#[tokio::test]
async fn a_letter_stops_although_keys_does_not_answer() {
    let bench = Bench::start().await;
    let (incident, letter) = bench.running_letter().await;
    bench.neighbours.refuse::<CloseWarrant>("keys", ProblemType::INTERNAL);
    bench.refused(stop(letter), ProblemType::UPSTREAM).await;
    assert_eq!(bench.done(ReadLetter { letter }).await.state, LetterState::Stopped);
    let stages = [ActStage::Intended, ActStage::Done, ActStage::Failed];
    let acts = stages.map(|stage| ("letters.stop".to_owned(), Some(stage)));
    assert_eq!(bench.last_acts(incident).await, acts);
    bench.neighbours.relent();
    bench.done(stop(letter)).await;
    assert_eq!(bench.neighbours.taken::<CloseWarrant>("keys").len(), 2);
}

#[tokio::test]
async fn a_provider_is_paused_and_resumed_by_name() {
    let bench = Bench::start().await;
    let (incident, letter) = bench.running_letter().await;
    let others = || "others".to_owned();
    let unknown = || "nobody".to_owned();
    let missing = ProblemType::NOT_FOUND;
    bench.refused(PauseProvider { letter, provider: unknown() }, missing).await;
    bench.refused(ResumeProvider { letter, provider: unknown() }, missing).await;
    bench.refused(PauseProvider { letter: LetterId(9), provider: others() }, missing).await;
    bench.done(PauseProvider { letter, provider: others() }).await;
    let store = bench.store().await;
    let pauses = store.provider_pauses(letter).await.unwrap();
    assert_eq!(pauses.into_values().collect::<Vec<_>>(), ["paused by operator-1"]);
    bench.done(ResumeProvider { letter, provider: others() }).await;
    assert!(store.provider_pauses(letter).await.unwrap().is_empty());
    let entries = bench.journal(incident).await;
    let [paused, resumed] = &entries[entries.len() - 2..] else { panic!("two entries") };
    assert_eq!(paused.detail, "letter 1, mailboxes of others");
    assert_eq!(
        (paused.action.as_str(), resumed.action.as_str()),
        ("letters.pause", "letters.resume")
    );
    bench.done(PauseLetter { letter }).await;
    bench.refused(PauseProvider { letter, provider: others() }, LETTER_NOT_RUNNING).await;
}

#[tokio::test]
async fn a_log_is_not_complete_while_a_letter_is_being_sent() {
    let bench = Bench::start().await;
    let (incident, letter) = bench.running_letter().await;
    let relayed =
        vec![Relayed { message_id: "1.x@shoeleather.example".into(), queue_id: "4XyZ".into() }];
    let settle = |complete| SettleLetter { letter, relayed: relayed.clone(), complete };
    bench.refused(settle(true), LETTER_RUNNING).await;
    bench.done(settle(false)).await;
    bench.done(PauseLetter { letter }).await;
    let settled = bench.done(settle(true)).await;
    assert_eq!((settled.accepted, settled.planned), (0, 0), "no row was in doubt");
    let entry = bench.journal(incident).await.pop().unwrap();
    assert_eq!(entry.detail, "letter 1: 0 doubts accepted by the relay's log, 0 planned again");
}

/// The relay's log names one of two doubted letters by its Message-ID. The other was never sent.
#[tokio::test]
async fn a_relays_log_settles_doubts() {
    let bench = Bench::start().await;
    let incident = bench.scoped_table().await;
    let letter = bench.plan(incident, Audience::Customers).await;
    let store = bench.store().await;
    let worker = response_mailing::Holder("one".to_owned());
    let (now, until) = (NOW.parse().unwrap(), "2012-01-15T10:01:00Z".parse().unwrap());
    store.claim(letter, &worker, (now, until), &[]).await.unwrap().unwrap();
    assert_eq!(store.doubt_batch(letter, &worker, 1, ("it died", now)).await.unwrap(), 3);
    let read = response_api::ReadLedger { letter, from: 0, limit: 9, state: None };
    let message_id = bench.done(read.clone()).await[1].message_id.clone();
    let relayed = vec![Relayed { message_id, queue_id: "4XyZ".to_owned() }];
    let settled = bench.done(SettleLetter { letter, relayed, complete: true }).await;
    assert_eq!((settled.accepted, settled.planned), (1, 2));
    let rows = bench.done(read).await;
    assert_eq!(rows[1].outcome.as_deref(), Some("4XyZ"));
    let states: Vec<_> = rows.iter().map(|row| row.state.as_str()).collect();
    assert_eq!(states, ["planned", "accepted", "planned"]);
}
