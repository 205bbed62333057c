//! Notice, plan and report count the same people.

use response_api::{
    Audience, DeclareIncident, DraftLetter, ExposedPeople, IncidentId, LETTER_OUTDATED,
    LETTER_PLANNED, LetterState, MakeReport, PlanLetter, PublishNotice, ReadLetter, ScopeIncident,
    StartLetter,
};

use crate::bench::{Bench, declare};

/// Four people were mailed a code through a fallen relay. One was erased since.
#[tokio::test]
async fn the_numbers_of_notice_plan_and_report_are_the_same() {
    let bench = Bench::start().await;
    {
        let mut book = bench.neighbours.book();
        (book.customers, book.mailed) = (vec![1, 2, 3, 4], vec![0, 1, 2, 3]);
    }
    let fallen = vec!["mail=relay".parse().unwrap()];
    let incident = bench.done(DeclareIncident { fallen, ..declare() }).await.incident;
    let exposure = bench.done(ScopeIncident { incident, from_log: false }).await;
    assert_eq!((exposure.exposed(), exposure.customers), (4, 4));
    let plan = bench.done(PlanLetter { incident, audience: Audience::Customers }).await;
    let people = ExposedPeople {
        exposed: 4,
        told: 3,
        session_only: 0,
        gone: 1,
        without_address: 0,
        planned: Some(3),
    };
    assert_eq!((plan.people, plan.exposed), (4, Some(people)));
    bench.done(PublishNotice { incident }).await;
    let page = std::fs::read_to_string(bench.dir.path().join("notice/index.html")).unwrap();
    assert!(page.contains("Of 4 customers, 4 "), "{page}");
    assert!(page.contains("1 of them are no longer among our customers"));
    let report = bench.done(MakeReport { incident }).await;
    assert_eq!(report.people, Some(people));
    assert!(report.html.contains("Of 4 people exposed, 3 are there"));
}

/// An incident of a fallen relay, through which these customers were mailed a code.
async fn mailed(bench: &Bench, customers: &[u32]) -> IncidentId {
    {
        let mut book = bench.neighbours.book();
        (book.customers, book.mailed) = (vec![1, 2, 3, 4], customers.to_vec());
    }
    let fallen = vec!["mail=relay".parse().unwrap()];
    let incident = bench.done(DeclareIncident { fallen, ..declare() }).await.incident;
    bench.done(ScopeIncident { incident, from_log: false }).await;
    incident
}

async fn scope_again(bench: &Bench, incident: IncidentId, customers: &[u32]) {
    bench.neighbours.book().mailed = customers.to_vec();
    bench.done(ScopeIncident { incident, from_log: false }).await;
}

/// Rows tell what each person lost by the exposure from which they were planned. A later scope that
/// finds as many people, but others, makes them false.
#[tokio::test]
async fn a_letter_that_was_planned_from_another_exposure_does_not_go_out() {
    let bench = Bench::start().await;
    let incident = mailed(&bench, &[1, 2]).await;
    let letter = bench.plan(incident, Audience::Customers).await;
    bench.approve(letter).await;
    scope_again(&bench, incident, &[1, 2]).await;
    bench.approve(letter).await;
    scope_again(&bench, incident, &[2, 3]).await;
    let before_staff = Some("there are no staff".parse().unwrap());
    let start = StartLetter { letter, before_staff };
    let refused = bench.refused(start.clone(), LETTER_OUTDATED).await;
    assert!(refused.detail.contains("another exposure"), "{}", refused.detail);
    bench.refused(DraftLetter { letter }, LETTER_PLANNED).await;
    scope_again(&bench, incident, &[1, 2]).await;
    assert_eq!(bench.done(start).await.state, LetterState::Running);
    // A running letter stops at the next look.
    scope_again(&bench, incident, &[1, 2, 3]).await;
    bench.done(crate::contain::freeze(incident, false)).await;
    let status = bench.done(ReadLetter { letter }).await;
    assert_eq!(status.state, LetterState::Paused);
}

/// Earlier versions kept no hash of what an exposure and a planned letter tell.
#[tokio::test]
async fn a_letter_of_an_earlier_version_is_held_to_its_exposure_too() {
    const FORGET: &str = "DELETE FROM finding WHERE kind IN ('told', 'planned_told')";
    for is_planned_before in [false, true] {
        let bench = Bench::start().await;
        let incident = mailed(&bench, &[1, 2]).await;
        if !is_planned_before {
            bench.execute(FORGET).await;
        }
        let letter = bench.plan(incident, Audience::Customers).await;
        if is_planned_before {
            bench.execute(FORGET).await;
        }
        scope_again(&bench, incident, &[1, 2]).await;
        bench.done(DraftLetter { letter }).await;
        scope_again(&bench, incident, &[2, 3]).await;
        bench.refused(DraftLetter { letter }, LETTER_PLANNED).await;
    }
}

/// The order covered everybody exposed by the first scope, and not by the second.
#[tokio::test]
async fn the_exposed_are_called_void_only_if_orders_cover_them_all() {
    let bench = Bench::start().await;
    let incident = mailed(&bench, &[1]).await;
    let notice = async || {
        bench.done(PublishNotice { incident }).await;
        std::fs::read_to_string(bench.dir.path().join("notice/index.html")).unwrap()
    };
    let claim = "passwords of these customers";
    assert!(!notice().await.contains(claim));
    bench.done(crate::void::set_order(incident, &[1])).await;
    assert!(notice().await.contains(claim));
    scope_again(&bench, incident, &[1, 2]).await;
    assert!(!notice().await.contains(claim), "one of two");
    bench.done(crate::void::set_order(incident, &[2])).await;
    assert!(notice().await.contains(claim), "two orders cover both");
}
