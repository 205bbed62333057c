//! Voiding credentials.

use accounts_api::{
    RevokeSessions, VoidCredentials as VoidAtAccounts, VoidWhose as WhoseAtAccounts,
};
use cofferdam_core::Record;
use cofferdam_wire::ProblemType;
use keys_api::{ORDER_REFUSED, Signature, Signed, VoidOrder};
use response_api::{
    ActStage, AppliedOrder, ApplyOrder, IncidentId, MakeReport, SignedOrder, VoidCredentials,
    VoidWhose, Voided,
};
use roaring::RoaringBitmap;

use crate::bench::{Bench, NOW};

fn signed(incident: IncidentId) -> Signed<VoidOrder> {
    signed_for(incident, NOW)
}

fn signed_for(incident: IncidentId, set_before: &str) -> Signed<VoidOrder> {
    let order = VoidOrder {
        incident: incident.0,
        set_before: set_before.parse().unwrap(),
        until: "2012-01-15T11:00:00Z".parse().unwrap(),
        break_glass: None,
    };
    let signature = |name: &str| Signature { approver: name.to_owned(), signature: "x".to_owned() };
    Signed { order, signatures: vec![signature("ann"), signature("bob")] }
}

/// The order that voids everybody's credentials.
pub fn void_order(incident: IncidentId) -> ApplyOrder {
    void_order_for(incident, NOW)
}

/// The order that voids everybody's credentials that were set up to an instant.
pub fn void_order_for(incident: IncidentId, set_before: &str) -> ApplyOrder {
    let signed = serde_json::to_value(signed_for(incident, set_before)).unwrap();
    ApplyOrder { order: SignedOrder::Void(signed) }
}

async fn void_everybody(bench: &Bench, incident: IncidentId) -> Voided {
    match bench.done(void_order(incident)).await {
        AppliedOrder::Void(voided) => voided,
        other => panic!("{other:?}"),
    }
}

fn at_accounts(bench: &Bench) -> Vec<VoidAtAccounts> {
    bench.neighbours.taken("accounts")
}

#[tokio::test]
async fn an_order_over_everybody_is_carried_to_accounts_as_it_was_signed() {
    let bench = Bench::start().await;
    let incident = bench.declare().await;
    let voided = void_everybody(&bench, incident).await;
    assert_eq!((voided.order, voided.customers, voided.sessions), (4, 3, 2));
    let [taken] = <[_; 1]>::try_from(at_accounts(&bench)).unwrap();
    assert_eq!((taken.incident, taken.set_before.to_string().as_str()), (incident.0, NOW));
    let WhoseAtAccounts::Everybody { order } = taken.whose else { panic!("not everybody's") };
    assert_eq!(order, serde_json::to_string(&signed(incident)).unwrap());
    let revoked = bench.neighbours.taken::<RevokeSessions>("accounts");
    assert_eq!(revoked[0].opened_before.to_string(), NOW);
    let entries = bench.journal(incident).await;
    let stages: Vec<_> = entries[1..].iter().map(|e| (e.action.as_str(), e.stage)).collect();
    let (intended, done) = (Some(ActStage::Intended), Some(ActStage::Done));
    assert_eq!(stages, [("void", intended), ("void", done)]);
    assert_eq!(entries[1].detail, format!("credentials set up to {NOW} and all sessions"));
    assert_eq!(bench.done(MakeReport { incident }).await.voided, Some(voided));
}

/// A second order would void passwords that customers have set since.
#[tokio::test]
async fn everybody_is_voided_once() {
    let bench = Bench::start().await;
    let incident = bench.declare().await;
    let voided = void_everybody(&bench, incident).await;
    assert_eq!(void_everybody(&bench, incident).await, voided);
    assert_eq!(at_accounts(&bench).len(), 1);
    assert_eq!(bench.journal(incident).await.len(), 3, "declared, intended and done");
}

#[tokio::test]
async fn an_order_that_keys_refuses_voids_nothing() {
    let bench = Bench::start().await;
    let incident = bench.declare().await;
    bench.neighbours.refuse::<VoidAtAccounts>("accounts", ORDER_REFUSED);
    // The refusal of a neighbour is passed on unchanged.
    let refused = bench.staff().call(&void_order(incident)).await.unwrap_err();
    assert!(refused.is(ORDER_REFUSED), "{refused}");
    let failed = [("void".to_owned(), Some(ActStage::Failed))];
    assert_eq!(bench.last_acts(incident).await, failed);
    assert_eq!(bench.done(MakeReport { incident }).await.voided, None);
}

#[tokio::test]
async fn an_order_that_was_half_done_is_given_again() {
    let bench = Bench::start().await;
    let incident = bench.declare().await;
    bench.neighbours.refuse::<RevokeSessions>("accounts", ProblemType::INTERNAL);
    bench.refused(void_order(incident), ProblemType::UPSTREAM).await;
    assert_eq!(bench.done(MakeReport { incident }).await.voided, None);
    bench.neighbours.relent();
    void_everybody(&bench, incident).await;
    assert_eq!(at_accounts(&bench).len(), 2);
}

#[tokio::test]
async fn some_customers_are_voided_by_name() {
    let bench = Bench::start().await;
    let incident = bench.declare().await;
    let nobody = VoidWhose::Only { records: vec![] };
    let call = VoidCredentials { incident, whose: nobody };
    bench.refused(call, ProblemType::BAD_REQUEST).await;
    let whose = VoidWhose::Only { records: vec![Record(70_000), Record(3), Record(3)] };
    let voided = bench.done(VoidCredentials { incident, whose }).await;
    assert_eq!((voided.order, voided.sessions), (4, 0));
    let [taken] = <[_; 1]>::try_from(at_accounts(&bench)).unwrap();
    let WhoseAtAccounts::Only { roaring } = taken.whose else { panic!("everybody's") };
    let records = RoaringBitmap::deserialize_from(roaring.as_slice()).unwrap();
    assert_eq!(records, [3, 70_000].into_iter().collect());
    let entry = bench.journal(incident).await.pop().unwrap();
    assert_eq!((entry.action.as_str(), entry.stage), ("void.some", Some(ActStage::Done)));
    assert_eq!(entry.detail, "credentials and sessions of the customers named: 2 customers");
}

/// Record numbers of the table are those of other people at `accounts`.
#[tokio::test]
async fn people_of_a_brought_table_have_no_credentials() {
    let bench = Bench::start().await;
    let incident = bench.scoped_table().await;
    let exposed = VoidCredentials { incident, whose: VoidWhose::Exposed };
    bench.refused(exposed, ProblemType::BAD_REQUEST).await;
    assert!(at_accounts(&bench).is_empty());
}

#[tokio::test]
async fn credentials_that_accounts_did_not_void_are_journalled_as_failed() {
    let bench = Bench::start_alone().await;
    let incident = bench.declare().await;
    let whose = VoidWhose::Only { records: vec![Record(3)] };
    bench.refused(VoidCredentials { incident, whose }, ProblemType::UPSTREAM).await;
    bench.refused(void_order(incident), ProblemType::UPSTREAM).await;
    let (intended, failed) = (Some(ActStage::Intended), Some(ActStage::Failed));
    let [some, everybody] = ["void.some", "void"].map(str::to_owned);
    assert_eq!(
        bench.last_acts(incident).await,
        [
            (some.clone(), intended),
            (some, failed),
            (everybody.clone(), intended),
            (everybody, failed)
        ]
    );
}
