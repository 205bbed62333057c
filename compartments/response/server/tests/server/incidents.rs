//! Declaring incidents, and scoping them.

use cofferdam_core::{CallerName, CustomerNumber, NO_SUCH_CALLER, Record};
use cofferdam_wire::ProblemType;
use keys_api::CallerPolicy;
use response_api::{
    ActStage, AmendIncident, Audience, DeclareIncident, DoubtCause, IncidentId, LetterId, Level,
    ListEvidence, ListIncidents, MakeReport, NOT_SCOPED, People, PlanLetter, PublishNotice,
    ReadExposure, ReadGrounds, ReadJournal, ReadLedger, ReadLetter, ReadPerson,
    ResolveCustomerNumber, ScopeIncident, VoidCredentials, VoidWhose,
};

use crate::bench::{Bench, NOW, declare};

#[tokio::test]
async fn an_incident_is_declared_listed_and_journalled() {
    let bench = Bench::start_alone().await;
    let declared = bench.done(declare()).await;
    assert_eq!(declared.incident, IncidentId(1));
    assert_eq!(declared.declared.to_string(), NOW);
    assert_eq!(bench.done(ListIncidents {}).await, std::slice::from_ref(&declared));
    let [entry] = <[_; 1]>::try_from(bench.journal(declared.incident).await).unwrap();
    assert_eq!((entry.by.as_str(), entry.action.as_str()), ("operator-1", "declare"));
    assert_eq!((entry.from.as_str(), entry.stage), ("127.0.0.1", None::<ActStage>));
    assert_eq!(entry.detail, "one app server: web-ky-1 taken for fallen");
}

#[tokio::test]
async fn a_declaration_that_makes_no_sense_is_refused() {
    let bench = Bench::start_alone().await;
    let at = |text: &str| text.parse().unwrap();
    for wrong in [
        DeclareIncident { title: " ".to_owned(), ..declare() },
        DeclareIncident { fallen: vec![], ..declare() },
        DeclareIncident { from: at("2012-01-15T10:00:01Z"), ..declare() },
        DeclareIncident { to: Some(at("2012-01-14T21:00:00Z")), ..declare() },
        DeclareIncident { found: "x".repeat(501), ..declare() },
        DeclareIncident {
            people: People::Table,
            fallen: vec!["keys=keys".parse().unwrap()],
            ..declare()
        },
    ] {
        bench.refused(wrong, ProblemType::BAD_REQUEST).await;
    }
    assert_eq!(bench.done(ListIncidents {}).await, []);
}

/// A misspelt host would be found to have read nothing.
#[tokio::test]
async fn a_misspelt_host_is_no_fallen_host() {
    let bench = Bench::start().await;
    let typo = |unlisted: Vec<CallerName>| DeclareIncident {
        fallen: vec!["web-ky-9".parse().unwrap()],
        unlisted,
        ..declare()
    };
    let refused = bench.refused(typo(vec![]), NO_SUCH_CALLER).await;
    assert_eq!(
        refused.detail,
        "there is no caller web-ky-9; perhaps web-ky-2 is meant; there are web-ky-2, web-ky-3"
    );
    assert_eq!(bench.done(ListIncidents {}).await, []);
    let other_kinds = ["web-ky-2", "keys=keys", "backup-7=accounts_database", "mail-1=relay"];
    let fallen = other_kinds.map(|text| text.parse().unwrap()).to_vec();
    bench.done(DeclareIncident { fallen, unlisted: vec![], ..declare() }).await;
    let incident = bench.done(typo(vec!["web-ky-9".parse().unwrap()])).await.incident;
    let add = AmendIncident {
        add_fallen: vec!["web-ky-22".parse().unwrap()],
        ..crate::amend::nothing(incident)
    };
    bench.refused(add, NO_SUCH_CALLER).await;
    let remove = AmendIncident {
        remove_fallen: vec!["web-ky-8".parse().unwrap()],
        ..crate::amend::nothing(incident)
    };
    let refused = bench.refused(remove, ProblemType::BAD_REQUEST).await;
    assert!(refused.detail.contains("web-ky-9"), "{}", refused.detail);
}

/// Without `keys`, nobody knows the name: staff say so, or declare nothing.
#[tokio::test]
async fn a_host_that_nobody_can_look_up_is_named_twice() {
    let bench = Bench::start_alone().await;
    let unsure = DeclareIncident { unlisted: vec![], ..declare() };
    bench.refused(unsure, ProblemType::UPSTREAM).await;
    bench.done(declare()).await;
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let bench = Bench::start_alone().await;
    let (incident, letter, missing) = (IncidentId(7), LetterId(7), ProblemType::NOT_FOUND);
    bench.refused(ScopeIncident { incident, from_log: false }, missing).await;
    bench.refused(ReadJournal { incident }, missing).await;
    bench.refused(ReadGrounds { incident }, missing).await;
    bench.refused(MakeReport { incident }, missing).await;
    bench.refused(crate::amend::nothing(incident), missing).await;
    bench.refused(crate::close::close(incident), missing).await;
    bench.refused(crate::contain::freeze(incident, true), missing).await;
    bench.refused(ReadLetter { letter }, missing).await;
    bench.refused(ReadLedger { letter, from: 0, limit: 1, state: None }, missing).await;
    bench.refused(crate::contain::freeze(incident, false), missing).await;
}

#[tokio::test]
async fn what_needs_an_exposure_says_so() {
    let bench = Bench::start_alone().await;
    let incident = bench.declare().await;
    bench.refused(PlanLetter { incident, audience: Audience::Staff }, NOT_SCOPED).await;
    bench.refused(PublishNotice { incident }, NOT_SCOPED).await;
    bench.refused(ListEvidence { incident, log: 0, from: 0 }, NOT_SCOPED).await;
    bench.refused(ReadPerson { incident, record: Record(0) }, NOT_SCOPED).await;
    bench
        .refused(
            VoidCredentials { incident, whose: VoidWhose::Exposed, set_before: None },
            NOT_SCOPED,
        )
        .await;
    let field = cofferdam_core::Field::Name;
    bench.refused(ReadExposure { incident, level: Level::Read, field }, NOT_SCOPED).await;
    let report = bench.done(MakeReport { incident }).await;
    assert_eq!((report.exposure, report.voided, report.notice), (None, None, None));
    let journal = bench.journal(incident).await;
    let acts: Vec<_> = journal.iter().map(|entry| entry.action.as_str()).collect();
    let views = ["evidence.read", "person", "exposure.read"];
    let expected = [&["declare"], views.as_slice(), &["report"]].concat();
    assert_eq!(acts, expected, "a view is journalled before it is handled, an act when it is done");
}

/// The neighbours are down, so each of their answers becomes a doubt.
#[tokio::test]
async fn a_scope_without_neighbours_shows_its_doubts() {
    let bench = Bench::start_alone().await;
    let incident = bench.declare().await;
    let exposure = bench.done(ScopeIncident { incident, from_log: true }).await;
    let has = |is: fn(&DoubtCause) -> bool| exposure.doubts.iter().any(|doubt| is(&doubt.cause));
    assert!(has(|cause| matches!(cause, DoubtCause::LogNotFollowed { .. })));
    assert!(has(|cause| matches!(cause, DoubtCause::CustomersOutdated { .. })));
    assert!(has(|cause| matches!(cause, DoubtCause::CardsUnknown { .. })));
    assert!(has(|cause| matches!(cause, DoubtCause::SessionsUnknown { .. })));
    assert!(has(|cause| matches!(cause, DoubtCause::GrantsUnknown { .. })));
    let report = bench.done(MakeReport { incident }).await;
    assert_eq!(report.exposure, Some(exposure));
}

#[tokio::test]
async fn a_scope_uses_what_its_neighbours_tell() {
    let bench = Bench::start().await;
    let incident = bench.declare().await;
    let exposure = bench.done(ScopeIncident { incident, from_log: false }).await;
    assert_eq!(bench.neighbours.taken::<payments_api::CountCards>("payments").len(), 1);
    assert_eq!(exposure.untouched, [], "a log that is not followed proves nothing");
    assert!(!exposure.doubts.iter().any(|doubt| {
        matches!(doubt.cause, DoubtCause::CardsUnknown { .. } | DoubtCause::SessionsUnknown { .. })
    }));
    let asked = bench.neighbours.taken::<accounts_api::ReadActivity>("accounts");
    assert_eq!(asked[0].from, declare().from);
    assert_eq!(asked[0].callers, Some(declare().fallen.iter().map(|f| f.host.clone()).collect()));
}

/// A session that was opened at another server behind the same balancer may have been shown at the
/// fallen one. Without the policy, nobody knows which servers those are.
#[tokio::test]
async fn sessions_of_the_whole_group_are_within_reach() {
    let bench = Bench::start().await;
    let caller = |name: &str, group: Option<&str>| CallerPolicy {
        name: name.parse().unwrap(),
        group: group.map(|group| group.parse().unwrap()),
        grants: vec![],
        budgets: [].into(),
    };
    {
        let mut book = bench.neighbours.book();
        let sessions = [("web-ky-1", vec![1]), ("web-ky-2", vec![1, 2]), ("web-tn-1", vec![3])];
        book.sessions = sessions.map(|(name, of)| (name.parse().unwrap(), of)).into();
        book.policy = vec![
            caller("web-ky-1", Some("web-ky")),
            caller("web-ky-2", Some("web-ky")),
            caller("web-tn-1", Some("web-tn")),
            caller("shipping-1", None),
        ];
    }
    let incident = bench.declare().await;
    let scope = ScopeIncident { incident, from_log: false };
    bench.done(scope.clone()).await;
    for (level, customers) in [(Level::Presented, vec![1]), (Level::Reachable, vec![2])] {
        let field = cofferdam_core::Field::Session;
        let read = bench.done(ReadExposure { incident, level, field }).await;
        let records = roaring::RoaringBitmap::deserialize_from(read.roaring.as_slice()).unwrap();
        assert_eq!(records.iter().collect::<Vec<_>>(), customers, "{level:?}");
    }
    bench.neighbours.refuse::<keys_api::ReadPolicy>("keys", ProblemType::UNAVAILABLE);
    let exposure = bench.done(scope).await;
    let is_unknown = |cause: &DoubtCause| matches!(cause, DoubtCause::SessionsUnknown { .. });
    assert!(exposure.doubts.iter().any(|doubt| is_unknown(&doubt.cause)));
    let sessions = exposure.fields[&cofferdam_core::Field::Session];
    assert_eq!(sessions.presented, 1, "what is known is kept");
}

/// Staff hold a number from an app server's log, and the shop knows a customer by that number.
#[tokio::test]
async fn a_customer_number_leads_to_a_record_and_back() {
    let bench = Bench::start().await;
    let incident = bench.declare().await;
    bench.done(ScopeIncident { incident, from_log: false }).await;
    let number = CustomerNumber(!7);
    let record = bench.done(ResolveCustomerNumber { incident, number }).await;
    assert_eq!(record, Record(7));
    let read = ReadPerson { incident, record };
    assert_eq!(bench.done(read.clone()).await.number, Some(number));

    // Without `accounts`, staff still learn whether the person was affected.
    let down = ProblemType::UNAVAILABLE;
    bench.neighbours.refuse::<accounts_api::ReadCustomerNumbers>("accounts", down);
    assert_eq!(bench.done(read).await.number, None);

    let table = bench.scoped_table().await;
    let resolve = ResolveCustomerNumber { incident: table, number };
    bench.refused(resolve, ProblemType::BAD_REQUEST).await;
    let nobody = ReadPerson { incident: table, record: Record(0) };
    assert_eq!(bench.done(nobody).await.number, None);
}
