//! What letters and notice claim, against what holds.

use cofferdam_wire::ProblemType;
use keys_api::ListCallers;
use response_api::{
    AmendIncident, Audience, IncidentId, LETTER_OUTDATED, LetterState, ListAlarms, MakeReport,
    PublishNotice, ReadLetter, ScopeIncident, StartLetter, VoidCredentials, VoidWhose,
};

use crate::amend::nothing;
use crate::bench::{Bench, NOW};
use crate::contain::freeze;
use crate::void::void_order_for;

async fn scoped(bench: &Bench) -> IncidentId {
    let incident = bench.declare().await;
    bench.done(ScopeIncident { incident, from_log: false }).await;
    incident
}

async fn notice(bench: &Bench, incident: IncidentId) -> String {
    bench.done(PublishNotice { incident }).await;
    std::fs::read_to_string(bench.dir.path().join("notice/index.html")).unwrap()
}

/// The public reads that the server is shut off while `keys` says so, whoever ordered it.
#[tokio::test]
async fn the_notice_says_that_a_server_is_shut_off_while_keys_does() {
    let bench = Bench::start().await;
    let incident = scoped(&bench).await;
    let claim = "shut that server off";
    bench.done(freeze(incident, true)).await;
    assert!(!notice(&bench, incident).await.contains(claim), "keys knows nothing of it");
    bench.neighbours.book().frozen = vec!["web-ky-1"];
    assert!(notice(&bench, incident).await.contains(claim));
    bench.neighbours.refuse::<ListCallers>("keys", ProblemType::INTERNAL);
    assert!(!notice(&bench, incident).await.contains(claim), "keys does not say");
}

#[tokio::test]
async fn passwords_are_called_void_only_if_the_order_covers_the_window() {
    for (set_before, claimed) in [("2001-01-01T00:00:00Z", false), (NOW, true)] {
        let bench = Bench::start().await;
        let incident = scoped(&bench).await;
        bench.done(void_order_for(incident, set_before)).await;
        let page = notice(&bench, incident).await;
        assert_eq!(page.contains("All passwords"), claimed, "{set_before}");
        assert_eq!(page.contains("Choose a new password"), claimed, "{set_before}");
    }
}

/// An order over some customers says nothing of the others.
#[tokio::test]
async fn an_order_over_some_voids_no_others_in_words() {
    let bench = Bench::start().await;
    let incident = scoped(&bench).await;
    let whose = VoidWhose::Only { records: vec![cofferdam_core::Record(1)] };
    bench.done(VoidCredentials { incident, whose, set_before: None }).await;
    let page = notice(&bench, incident).await;
    assert!(!page.contains("void") && !page.contains("passwords of these customers"));
}

/// The copy of the log is not followed here, so nothing rests on it.
#[tokio::test]
async fn nothing_is_claimed_of_a_log_that_is_not_followed() {
    let bench = Bench::start().await;
    let incident = scoped(&bench).await;
    let page = notice(&bench, incident).await;
    for claim in ["separate machine", "No customer", "separate server"] {
        assert!(!page.contains(claim), "{claim}");
    }
    assert!(page.contains("We know of no customer whose information was read"));
    let report = bench.done(MakeReport { incident }).await.html;
    assert!(report.contains("No compartment can be called untouched."));
    assert!(!report.contains("the log is whole") && !report.contains("within reach, not read"));
}

/// A thaw under another incident makes a letter false: it stops, and starts only when it was
/// drafted and approved anew.
#[tokio::test]
async fn a_letter_stops_when_a_claim_of_it_ends() {
    let bench = Bench::start().await;
    bench.neighbours.book().frozen = vec!["web-ky-1"];
    let (_, letter) = bench.running_letter().await;
    let other = bench.declare().await;
    bench.neighbours.book().frozen.clear();
    bench.done(freeze(other, false)).await;
    let status = bench.done(ReadLetter { letter }).await;
    assert_eq!(status.state, LetterState::Paused);
    let trouble = status.trouble.unwrap();
    assert!(trouble.contains("the server is shut off"), "{trouble}");
    let alarms = bench.done(ListAlarms { after: 0 }).await;
    let rang = alarms.iter().filter(|alarm| alarm.kind == "claim_outdated").count();
    assert_eq!(rang, 1);
    let start = StartLetter { letter, before_staff: None };
    let refused = bench.refused(start.clone(), LETTER_OUTDATED).await;
    assert!(refused.detail.contains("the server is shut off"), "{}", refused.detail);
    bench.approve(letter).await;
    assert_eq!(bench.done(start).await.state, LetterState::Running);
}

/// Numbers of an exposure that was taken back are no facts either.
#[tokio::test]
async fn a_letter_stops_when_its_incident_is_amended() {
    let bench = Bench::start().await;
    let (incident, letter) = bench.running_letter().await;
    let add_fallen = vec!["web-ky-2".parse().unwrap()];
    bench.done(AmendIncident { add_fallen, ..nothing(incident) }).await;
    bench.done(freeze(incident, false)).await;
    let status = bench.done(ReadLetter { letter }).await;
    assert_eq!(status.state, LetterState::Paused);
    let start = StartLetter { letter, before_staff: None };
    bench.refused(start, LETTER_OUTDATED).await;
}

#[tokio::test]
async fn a_letter_waits_while_keys_does_not_say_what_is_frozen() {
    let bench = Bench::start().await;
    bench.neighbours.book().frozen = vec!["web-ky-1"];
    let incident = bench.scoped_table().await;
    let letter = bench.plan(incident, Audience::Staff).await;
    bench.approve(letter).await;
    bench.neighbours.refuse::<ListCallers>("keys", ProblemType::INTERNAL);
    let start = StartLetter { letter, before_staff: None };
    bench.refused(start.clone(), ProblemType::UPSTREAM).await;
    bench.neighbours.relent();
    assert_eq!(bench.done(start).await.state, LetterState::Running);
}

/// A notice whose claim ended rings, because staff must publish it anew.
#[tokio::test]
async fn a_notice_rings_when_a_claim_of_it_ends() {
    let bench = Bench::start().await;
    let incident = scoped(&bench).await;
    bench.neighbours.book().frozen = vec!["web-ky-1"];
    notice(&bench, incident).await;
    let rang = async || {
        let alarms = bench.done(ListAlarms { after: 0 }).await;
        alarms.iter().any(|alarm| alarm.kind == "claim_outdated")
    };
    assert!(!rang().await);
    bench.neighbours.book().frozen.clear();
    bench.done(freeze(incident, false)).await;
    assert!(rang().await);
}

/// One question to `keys` serves every letter and notice of a round.
#[tokio::test]
async fn keys_is_asked_once_a_round_which_callers_are_frozen() {
    let bench = Bench::start().await;
    bench.running_letter().await;
    for _ in 0..6 {
        let incident = scoped(&bench).await;
        notice(&bench, incident).await;
    }
    let asked = || bench.neighbours.taken::<ListCallers>("keys").len();
    let other = bench.declare().await;
    let before = asked();
    // A thaw checks every claim; a round that was due may fall into it.
    bench.done(freeze(other, false)).await;
    let rounds = asked() - before;
    assert!((1..=2).contains(&rounds), "{rounds}");
}
