//! Voiding credentials.

use accounts_api::{VoidCredentials as VoidAtAccounts, VoidWhose as WhoseAtAccounts};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cofferdam_core::Record;
use cofferdam_wire::ProblemType;
use keys_api::{CustomerSet, ORDER_REFUSED, Signature, Signed, VoidOrder};
use response_api::{
    ActStage, AppliedOrder, ApplyOrder, DraftVoidOrder, IncidentId, MakeReport, SignedOrder,
    VoidCredentials, VoidWhose, Voided,
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
        customers: None,
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

/// The order that voids the credentials of a set of customers.
pub fn set_order(incident: IncidentId, records: &[u32]) -> ApplyOrder {
    let mut roaring = Vec::new();
    records.iter().copied().collect::<RoaringBitmap>().serialize_into(&mut roaring).unwrap();
    let order = serde_json::to_value(signed_set(incident, records)).unwrap();
    ApplyOrder { order: SignedOrder::VoidSet { order, roaring: STANDARD.encode(roaring) } }
}

fn signed_set(incident: IncidentId, records: &[u32]) -> Signed<VoidOrder> {
    let mut signed = signed(incident);
    signed.order.customers = Some(CustomerSet::of(records.iter().copied().map(Record)));
    signed
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
    let entries = bench.journal(incident).await;
    let stages: Vec<_> = entries[1..].iter().map(|e| (e.action.as_str(), e.stage)).collect();
    let (intended, done) = (Some(ActStage::Intended), Some(ActStage::Done));
    assert_eq!(stages, [("void", intended), ("void", done)]);
    assert_eq!(entries[1].detail, format!("credentials set up to {NOW} and all sessions"));
    assert_eq!(bench.done(MakeReport { incident }).await.voided, Some(voided));
}

/// `accounts` knows which order it has carried out, so each order reaches it: none is answered with
/// another one's result.
#[tokio::test]
async fn every_order_reaches_accounts() {
    let bench = Bench::start().await;
    let incident = bench.declare().await;
    let first = void_everybody(&bench, incident).await;
    let mut second = signed(incident);
    second.order.set_before = "2001-01-01T00:00:00Z".parse().unwrap();
    let second = serde_json::to_value(second).unwrap();
    bench.done(ApplyOrder { order: SignedOrder::Void(second) }).await;
    void_everybody(&bench, incident).await;
    let instants: Vec<_> = at_accounts(&bench).iter().map(|of| of.set_before.to_string()).collect();
    assert_eq!(instants, [NOW, "2001-01-01T00:00:00Z", NOW]);
    assert_eq!(bench.done(MakeReport { incident }).await.voided, Some(first), "the widest one");
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
async fn some_customers_are_voided_by_name() {
    let bench = Bench::start().await;
    let incident = bench.declare().await;
    let nobody = VoidWhose::Only { records: vec![] };
    let call = VoidCredentials { incident, whose: nobody, set_before: None };
    bench.refused(call, ProblemType::BAD_REQUEST).await;
    let whose = VoidWhose::Only { records: vec![Record(70_000), Record(3), Record(3)] };
    let set_before = Some("2012-01-01T00:00:00Z".parse().unwrap());
    bench.done(VoidCredentials { incident, whose: whose.clone(), set_before }).await;
    let voided = bench.done(VoidCredentials { incident, whose, set_before: None }).await;
    assert_eq!((voided.order, voided.sessions, voided.left_out), (4, 2, 1));
    let [explicit, taken] = <[_; 2]>::try_from(at_accounts(&bench)).unwrap();
    assert_eq!(Some(explicit.set_before), set_before);
    assert!(matches!(explicit.whose, WhoseAtAccounts::Only { again: true, .. }));
    assert_eq!(taken.set_before.to_string(), NOW);
    let WhoseAtAccounts::Only { roaring, again: false } = taken.whose else { panic!("again") };
    let records = RoaringBitmap::deserialize_from(roaring.as_slice()).unwrap();
    assert_eq!(records, [3, 70_000].into_iter().collect());
    let entry = bench.journal(incident).await.pop().unwrap();
    assert_eq!((entry.action.as_str(), entry.stage), ("void.some", Some(ActStage::Done)));
    assert_eq!(entry.detail, "credentials and sessions of the customers named: 2 customers");
}

/// Two people sign for the set that a draft names, and `accounts` gets it as it was signed.
#[tokio::test]
async fn a_set_is_voided_by_the_order_that_two_people_signed() {
    let bench = Bench::start().await;
    let incident = bench.declare().await;
    let (apply, signed) = (set_order(incident, &[3, 70_000]), signed_set(incident, &[3, 70_000]));
    let AppliedOrder::Void(voided) = bench.done(apply).await else { panic!("not a void order") };
    assert_eq!((voided.order, voided.customers), (4, 3));
    let [taken] = <[_; 1]>::try_from(at_accounts(&bench)).unwrap();
    let WhoseAtAccounts::Set { order, roaring: set } = taken.whose else { panic!("no set") };
    assert_eq!(order, serde_json::to_string(&signed).unwrap());
    let set = RoaringBitmap::deserialize_from(set.as_slice()).unwrap();
    assert_eq!(set, [3, 70_000].into_iter().collect());
    let entry = bench.journal(incident).await.pop().unwrap();
    assert_eq!((entry.action.as_str(), entry.stage), ("void.some", Some(ActStage::Done)));
    let detail = format!("credentials set up to {NOW} and sessions of 2 customers");
    assert_eq!(entry.detail, detail);
}

/// Record numbers of the table are those of other people at `accounts`.
#[tokio::test]
async fn people_of_a_brought_table_have_no_credentials() {
    let bench = Bench::start().await;
    let incident = bench.scoped_table().await;
    let exposed = VoidCredentials { incident, whose: VoidWhose::Exposed, set_before: None };
    bench.refused(exposed, ProblemType::BAD_REQUEST).await;
    bench.refused(DraftVoidOrder { incident }, ProblemType::BAD_REQUEST).await;
    assert!(at_accounts(&bench).is_empty());
}

#[tokio::test]
async fn credentials_that_accounts_did_not_void_are_journalled_as_failed() {
    let bench = Bench::start_alone().await;
    let incident = bench.declare().await;
    let whose = VoidWhose::Only { records: vec![Record(3)] };
    bench
        .refused(VoidCredentials { incident, whose, set_before: None }, ProblemType::UPSTREAM)
        .await;
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
