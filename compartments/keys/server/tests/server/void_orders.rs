//! Orders are approved by two people, or by one person who breaks the glass, which raises an alarm.

use cofferdam_core::{Clock, Domain, Epoch, Record};
use cofferdam_wire::ProblemType;
use jiff::SignedDuration;
use keys_api::{
    AlarmKind, ApproveVoidOrder, ChangeEpoch, CustomerSet, EpochChange, EpochOrder, Event,
    ORDER_REFUSED, Signed, VoidOrder,
};

use crate::support::{Keys, events, freeze, refused};

const REASON: &str = "the second approver can't be reached";

fn void(keys: &Keys, minutes: i64, reason: Option<&str>) -> Signed<VoidOrder> {
    let now = keys.clock.now();
    let until = now + SignedDuration::from_mins(minutes);
    let break_glass = reason.map(str::to_owned);
    keys.sign(VoidOrder { incident: 7, set_before: now, until, break_glass, customers: None })
}

fn by_one<T: Clone>(signed: &Signed<T>) -> Signed<T> {
    let mut alone = signed.clone();
    alone.signatures.truncate(1);
    alone
}

#[tokio::test]
async fn a_void_order_needs_two_people_or_one_who_breaks_the_glass() {
    let keys = Keys::start().await;
    let accounts = keys.client("accounts");
    let approve = async |order: &Signed<VoidOrder>| {
        accounts.call(&ApproveVoidOrder { order: order.clone() }).await
    };
    let good = void(&keys, 10, None);
    let alone = by_one(&good);
    let mut twice = alone.clone();
    twice.signatures.push(alone.signatures[0].clone());
    let mut other = good.clone();
    other.order.incident = 8;
    // An unsigned reason, an order without a signature, and an order that is late.
    let mut invented = good.clone();
    invented.order.break_glass = Some(REASON.to_owned());
    let nobody = Signed { signatures: vec![], ..void(&keys, 10, Some(REASON)) };
    let late = by_one(&void(&keys, 0, Some(REASON)));
    for bad in [&alone, &twice, &other, &invented, &nobody, &late] {
        refused(approve(bad).await, ORDER_REFUSED);
    }
    assert!(keys.alarms().await.iter().any(|a| a.kind == AlarmKind::RefusedOrder));
    let padded = format!("{}{}", " ".repeat(100_000), REASON);
    for reason in ["now", padded.as_str(), "a reason with a zero \0 in it", "two\nlines of reason"]
    {
        let bad = by_one(&void(&keys, 10, Some(reason)));
        refused(approve(&bad).await, ProblemType::BAD_REQUEST);
    }
    assert!(!keys.alarms().await.iter().any(|a| a.kind == AlarmKind::BreakGlass));

    approve(&good).await.unwrap();
    approve(&by_one(&void(&keys, 10, Some(REASON)))).await.unwrap();
    let approved: Vec<_> = events(&keys)
        .await
        .into_iter()
        .filter_map(|event| match event {
            Event::VoidApproved { approvers, break_glass, .. } => {
                Some((approvers.len(), break_glass))
            }
            _ => None,
        })
        .collect();
    assert_eq!(approved, [(2, None), (1, Some(REASON.to_owned()))]);
    let alarms = keys.alarms().await;
    let rung: Vec<_> = alarms.iter().filter(|a| a.kind == AlarmKind::BreakGlass).collect();
    assert!(matches!(rung.as_slice(), [alarm] if alarm.detail.contains(REASON)), "{rung:?}");
}

#[tokio::test]
async fn one_person_may_break_the_glass_to_start_an_epoch_and_never_to_destroy_one() {
    let keys = Keys::start().await;
    let response = keys.client("response-1");
    let until = keys.clock.now() + SignedDuration::from_hours(1);
    let alone = |change, reason: Option<&str>| {
        let break_glass = reason.map(str::to_owned);
        let order = EpochOrder { domain: Domain::Accounts, change, until, break_glass };
        ChangeEpoch { order: by_one(&keys.sign(order)) }
    };
    let start = EpochChange::Start { epoch: Epoch(1), reseal_until: until };
    refused(response.call(&alone(start, None)).await, ORDER_REFUSED);
    let loud = response.call(&alone(start, Some(REASON))).await.unwrap();
    assert_eq!((loud.current, loud.reseal_until), (Epoch(1), Some(until)));
    let retire = alone(EpochChange::Retire { epoch: Epoch(0) }, Some(REASON));
    refused(response.call(&retire).await, ORDER_REFUSED);
    assert!(keys.alarms().await.iter().any(|a| a.kind == AlarmKind::BreakGlass));
    let forced =
        |event: &Event| matches!(event, Event::EpochForced { reason, .. } if reason == REASON);
    assert!(events(&keys).await.iter().any(forced));
}

/// Two people void any number of customers that they name by the SHA-256 of the set.
#[tokio::test]
async fn an_order_over_a_set_is_signed_and_logged_with_the_set() {
    let keys = Keys::start().await;
    let set = CustomerSet::of([3, 70_000].map(Record));
    let mut order = void(&keys, 10, None).order;
    order.customers = Some(set);
    let good = keys.sign(order);
    let accounts = keys.client("accounts");
    let mut other = good.clone();
    other.order.customers = Some(CustomerSet { count: 3, ..set });
    let mut everybody = good.clone();
    everybody.order.customers = None;
    for bad in [by_one(&good), other, everybody] {
        refused(accounts.call(&ApproveVoidOrder { order: bad }).await, ORDER_REFUSED);
    }
    accounts.call(&ApproveVoidOrder { order: good }).await.unwrap();
    let logged = |event: &Event| matches!(event, Event::VoidOfSetApproved { customers: 2, set: of, .. } if *of == set.sha256.0);
    assert!(events(&keys).await.iter().any(logged));
}

#[tokio::test]
async fn a_frozen_front_approves_nothing() {
    let keys = Keys::start().await;
    let freeze = freeze("accounts");
    keys.client("response-1").call(&freeze).await.unwrap();
    let order = void(&keys, 10, None);
    let approved = keys.client("accounts").call(&ApproveVoidOrder { order }).await;
    refused(approved, ProblemType::FROZEN);
}
