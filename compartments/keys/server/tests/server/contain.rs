//! Void orders are approved by two people, or by one who is heard; budgets are lowered by one.

use cofferdam_core::{Clock, Domain, Epoch, Operation};
use cofferdam_wire::{CallError, ProblemKind};
use jiff::SignedDuration;
use keys_api::{
    AlarmKind, ApproveVoid, Budget, ChangeEpoch, EpochChange, EpochOrder, Event, ListCallers,
    LowerBudget, Signed, VoidOrder,
};

use crate::support::{Keys, ask, events, name};

const REASON: &str = "the second approver can't be reached";

fn kind<T>(answer: Result<T, CallError>) -> Option<ProblemKind> {
    answer.err().map(|e| e.problem().unwrap().kind)
}

fn void(keys: &Keys, minutes: i64) -> Signed<VoidOrder> {
    let now = keys.clock.now();
    let until = now + SignedDuration::from_mins(minutes);
    keys.sign(VoidOrder { incident: 7, set_before: now, until })
}

#[tokio::test]
async fn a_void_order_takes_two_or_one_who_is_heard() {
    let keys = Keys::start().await;
    let accounts = keys.client("accounts");
    let good = void(&keys, 10);
    let mut alone = good.clone();
    alone.signatures.truncate(1);
    let mut twice = alone.clone();
    twice.signatures.push(alone.signatures[0].clone());
    let mut other = good.clone();
    other.order.incident = 8;
    let late = void(&keys, 0);
    for bad in [&alone, &twice, &other, &late] {
        let call = ApproveVoid { order: bad.clone(), break_glass: None };
        assert_eq!(kind(accounts.call(&call).await), Some(ProblemKind::WarrantRefused));
    }
    let refused = keys.alarms().await.iter().filter(|a| a.kind == AlarmKind::RefusedOrder).count();
    assert!(refused > 0);
    let nobody = Signed { signatures: vec![], ..good.clone() };
    for (order, reason) in [(&nobody, REASON), (&other, REASON)] {
        let call = ApproveVoid { order: order.clone(), break_glass: Some(reason.into()) };
        assert_eq!(kind(accounts.call(&call).await), Some(ProblemKind::WarrantRefused));
    }
    let curt = ApproveVoid { order: alone.clone(), break_glass: Some("now".into()) };
    assert_eq!(kind(accounts.call(&curt).await), Some(ProblemKind::BadRequest));
    assert!(!keys.alarms().await.iter().any(|a| a.kind == AlarmKind::BreakGlass));

    accounts.call(&ApproveVoid { order: good, break_glass: None }).await.unwrap();
    let broken = ApproveVoid { order: alone, break_glass: Some(REASON.into()) };
    accounts.call(&broken).await.unwrap();
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
async fn one_person_may_start_an_epoch_behind_glass_and_never_destroy_one() {
    let keys = Keys::start().await;
    let response = keys.client("response-1");
    let until = keys.clock.now() + SignedDuration::from_hours(1);
    let alone = |change| {
        let mut order = keys.sign(EpochOrder { domain: Domain::Accounts, change, until });
        order.signatures.truncate(1);
        ChangeEpoch { order, break_glass: Some(REASON.into()) }
    };
    let start = alone(EpochChange::Start { epoch: Epoch(1), reseal_until: until });
    let quiet = ChangeEpoch { break_glass: None, ..start.clone() };
    assert_eq!(kind(response.call(&quiet).await), Some(ProblemKind::WarrantRefused));
    assert_eq!(response.call(&start).await.unwrap().current, Epoch(1));
    let retire = alone(EpochChange::Retire { epoch: Epoch(0) });
    assert_eq!(kind(response.call(&retire).await), Some(ProblemKind::WarrantRefused));
    assert!(keys.alarms().await.iter().any(|a| a.kind == AlarmKind::BreakGlass));
    let forced =
        |event: &Event| matches!(event, Event::EpochForced { reason, .. } if reason == REASON);
    assert!(events(&keys).await.iter().any(forced));
}

#[tokio::test]
async fn a_lowered_budget_holds_at_once_and_until_it_is_given_back() {
    let mut keys = Keys::start().await;
    let lower = |budget| LowerBudget {
        caller: name("web-ky-1"),
        operation: Operation::Release,
        budget,
        reason: "it reads more than it should".into(),
    };
    let tiny = Budget { minute: 3, hour: 3, day: 3, burst: 0 };
    let read = async |keys: &Keys, records: &[u32]| {
        kind(keys.client("accounts").call(&ask("web-ky-1", records)).await)
    };
    assert_eq!(read(&keys, &[1, 2]).await, None);
    let response = keys.client("response-1");
    let more = Budget { day: u64::MAX, ..tiny };
    assert_eq!(kind(response.call(&lower(Some(more))).await), Some(ProblemKind::BadRequest));
    let stranger = LowerBudget { caller: name("nobody-1"), ..lower(Some(tiny)) };
    assert_eq!(kind(response.call(&stranger).await), Some(ProblemKind::NotFound));
    response.call(&lower(Some(tiny))).await.unwrap();

    // What was taken before counts.
    assert_eq!(read(&keys, &[3, 4]).await, Some(ProblemKind::BudgetExhausted));
    assert_eq!(read(&keys, &[3]).await, None);
    assert_eq!(read(&keys, &[4]).await, Some(ProblemKind::BudgetExhausted));
    keys.restart().await;
    assert_eq!(read(&keys, &[4]).await, Some(ProblemKind::BudgetExhausted));
    let listed = keys.client("response-1").call(&ListCallers {}).await.unwrap();
    let web = listed.iter().find(|of| of.caller == name("web-ky-1")).unwrap();
    assert_eq!(web.budgets[&Operation::Release], tiny);

    keys.client("response-1").call(&lower(None)).await.unwrap();
    assert_eq!(read(&keys, &[4]).await, None);
    let lowered = events(&keys).await;
    let lowered = lowered.iter().filter(|event| matches!(event, Event::BudgetLowered { .. }));
    assert_eq!(lowered.count(), 2);
}
