//! Amending an incident.

use accounts_api::ReadActivity;
use cofferdam_wire::ProblemType;
use response_api::{
    AmendIncident, Audience, INCIDENT_CLOSED, IncidentId, LETTER_PLANNED, ListIncidents,
    MakeReport, NOT_SCOPED, PublishNotice,
};

use crate::bench::{Bench, declare};

/// An amendment that changes nothing.
pub fn nothing(incident: IncidentId) -> AmendIncident {
    AmendIncident {
        incident,
        add_fallen: vec![],
        remove_fallen: vec![],
        unlisted: vec!["web-ky-2".parse().unwrap()],
        from: None,
        to: None,
        title: None,
        reason: "found since".parse().unwrap(),
    }
}

#[tokio::test]
async fn the_journal_keeps_what_stood_before() {
    let bench = Bench::start_alone().await;
    let before = bench.done(declare()).await;
    let call = AmendIncident {
        add_fallen: vec!["web-ky-2".parse().unwrap(), "web-ky-1".parse().unwrap()],
        unlisted: vec!["web-ky-1".parse().unwrap(), "web-ky-2".parse().unwrap()],
        from: Some("2012-01-14T20:00:00Z".parse().unwrap()),
        to: Some("2012-01-15T09:00:00Z".parse().unwrap()),
        title: Some("two app servers".to_owned()),
        ..nothing(before.incident)
    };
    let after = bench.done(call.clone()).await;
    assert_eq!((Some(after.from), after.to), (call.from, call.to));
    assert_eq!(after.fallen, [declare().fallen[0].clone(), "web-ky-2".parse().unwrap()]);
    assert_eq!((after.title.as_str(), after.found), ("two app servers", before.found));
    assert_eq!((after.declared, after.declared_by), (before.declared, before.declared_by));
    assert_eq!(bench.done(ListIncidents {}).await[0].title, "two app servers");
    let entry = bench.journal(before.incident).await.pop().unwrap();
    assert_eq!(entry.action.as_str(), "amend");
    assert_eq!(
        entry.detail,
        "two app servers: web-ky-1 web-ky-2 from 2012-01-14T20:00:00Z to 2012-01-15T09:00:00Z; \
         before: one app server: web-ky-1 from 2012-01-14T22:00:00Z to now; found since"
    );
}

#[tokio::test]
async fn an_amendment_that_makes_no_sense_is_refused() {
    let bench = Bench::start_alone().await;
    let before = bench.done(declare()).await;
    let incident = before.incident;
    let at = |text: &str| Some(text.parse().unwrap());
    for wrong in [
        AmendIncident { remove_fallen: before.fallen.clone(), ..nothing(incident) },
        AmendIncident { title: Some(String::new()), ..nothing(incident) },
        AmendIncident { title: Some("x".repeat(501)), ..nothing(incident) },
        AmendIncident { from: at("2012-01-15T10:00:01Z"), ..nothing(incident) },
        AmendIncident { to: at("2012-01-14T21:59:59Z"), ..nothing(incident) },
    ] {
        bench.refused(wrong, ProblemType::BAD_REQUEST).await;
    }
    assert_eq!(bench.done(ListIncidents {}).await, [before]);
    assert_eq!(bench.journal(incident).await.len(), 1);
}

/// The host that is removed may be replaced in the same call.
#[tokio::test]
async fn a_host_that_was_named_by_mistake_is_replaced() {
    let bench = Bench::start_alone().await;
    let before = bench.done(declare()).await;
    let call = AmendIncident {
        remove_fallen: before.fallen,
        add_fallen: vec!["web-ky-2".parse().unwrap()],
        ..nothing(before.incident)
    };
    assert_eq!(bench.done(call).await.fallen, ["web-ky-2".parse().unwrap()]);
}

#[tokio::test]
async fn another_window_and_other_hosts_void_the_exposure() {
    let bench = Bench::start_alone().await;
    let incident = bench.scoped_table().await;
    let title = AmendIncident { title: Some("another".to_owned()), ..nothing(incident) };
    bench.done(title).await;
    bench.done(PublishNotice { incident }).await;
    let scope = || response_api::ScopeIncident { incident, from_log: false };
    for change in [
        AmendIncident { to: Some("2012-01-15T09:00:00Z".parse().unwrap()), ..nothing(incident) },
        AmendIncident { from: Some("2012-01-14T20:00:00Z".parse().unwrap()), ..nothing(incident) },
        AmendIncident { add_fallen: vec!["web-ky-2".parse().unwrap()], ..nothing(incident) },
    ] {
        bench.done(change).await;
        bench.refused(PublishNotice { incident }, NOT_SCOPED).await;
        assert_eq!(bench.done(MakeReport { incident }).await.exposure, None);
        bench.done(scope()).await;
        bench.done(PublishNotice { incident }).await;
    }
}

/// A scope reads logs for minutes. An exposure of the old window is not kept for the new one.
#[tokio::test]
async fn an_incident_that_is_amended_while_it_is_scoped_is_scoped_again() {
    let bench = Bench::start().await;
    let incident = bench.declare().await;
    let permits = bench.neighbours.hold::<ReadActivity>("accounts");
    let staff = bench.staff();
    let scope = move || response_api::ScopeIncident { incident, from_log: false };
    let first = tokio::spawn(async move { staff.call(&scope()).await });
    bench.neighbours.until_taken::<ReadActivity>("accounts").await;
    bench
        .done(AmendIncident { add_fallen: vec!["web-ky-2".parse().unwrap()], ..nothing(incident) })
        .await;
    permits.add_permits(2);
    let refused = first.await.unwrap().unwrap_err();
    assert!(refused.is(ProblemType::CONFLICT), "{refused}");
    bench.refused(PublishNotice { incident }, NOT_SCOPED).await;
    bench.done(scope()).await;
    bench.done(PublishNotice { incident }).await;
}

/// Each row of the letter states the exposure. Hosts that are found later take another incident.
#[tokio::test]
async fn hosts_and_window_stay_once_customers_letters_are_planned() {
    let bench = Bench::start_alone().await;
    let incident = bench.scoped_table().await;
    let another_host =
        || AmendIncident { add_fallen: vec!["web-ky-2".parse().unwrap()], ..nothing(incident) };
    bench.plan(incident, Audience::Staff).await;
    bench.done(another_host()).await;
    bench.done(response_api::ScopeIncident { incident, from_log: false }).await;
    bench.plan(incident, Audience::Customers).await;
    let further =
        AmendIncident { add_fallen: vec!["web-ky-3".parse().unwrap()], ..nothing(incident) };
    bench.refused(further, LETTER_PLANNED).await;
    let earlier =
        AmendIncident { from: Some("2012-01-14T20:00:00Z".parse().unwrap()), ..nothing(incident) };
    bench.refused(earlier, LETTER_PLANNED).await;
    // Naming a host again changes nothing, and a title is no evidence.
    bench.done(another_host()).await;
    let title = AmendIncident { title: Some("another".to_owned()), ..nothing(incident) };
    assert_eq!(bench.done(title).await.title, "another");
    bench.done(PublishNotice { incident }).await;
}

#[tokio::test]
async fn a_closed_incident_is_not_amended() {
    let bench = Bench::start_alone().await;
    let incident = bench.declare().await;
    bench.done(crate::close::close(incident)).await;
    bench.refused(nothing(incident), INCIDENT_CLOSED).await;
}
