//! Notice, plan and report count the same people.

use response_api::{
    Audience, DeclareIncident, ExposedPeople, MakeReport, PlanLetter, PublishNotice, ScopeIncident,
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
