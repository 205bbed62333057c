//! Void orders are approved by two people, or by one who is heard; budgets are lowered by one.

use cofferdam_core::{Clock, Domain, Epoch, Operation};
use cofferdam_wire::{CallError, ProblemType};
use jiff::SignedDuration;
use keys_api::{
    AlarmKind, ApproveVoid, Budget, ChangeEpoch, EpochChange, EpochOrder, Event, ListCallers,
    LowerBudget, Signed, VoidOrder,
};

use crate::support::{Keys, ask, events, name};

const REASON: &str = "the second approver can't be reached";

fn kind<T>(answer: Result<T, CallError>) -> Option<ProblemType> {
    answer.err().map(|e| e.problem().unwrap().kind)
}

fn void(keys: &Keys, minutes: i64, reason: Option<&str>) -> Signed<VoidOrder> {
    let now = keys.clock.now();
    let until = now + SignedDuration::from_mins(minutes);
    let break_glass = reason.map(str::to_owned);
    keys.sign(VoidOrder { incident: 7, set_before: now, until, break_glass })
}

fn by_one<T: Clone>(signed: &Signed<T>) -> Signed<T> {
    let mut alone = signed.clone();
    alone.signatures.truncate(1);
    alone
}

#[tokio::test]
async fn a_void_order_takes_two_or_one_who_is_heard() {
    let keys = Keys::start().await;
    let accounts = keys.client("accounts");
    let approve = async |order: &Signed<VoidOrder>| {
        kind(accounts.call(&ApproveVoid { order: order.clone() }).await)
    };
    let good = void(&keys, 10, None);
    let alone = by_one(&good);
    let mut twice = alone.clone();
    twice.signatures.push(alone.signatures[0].clone());
    let mut other = good.clone();
    other.order.incident = 8;
    // A reason that nobody signed, an order without a signature, one that is late.
    let mut invented = good.clone();
    invented.order.break_glass = Some(REASON.to_owned());
    let nobody = Signed { signatures: vec![], ..void(&keys, 10, Some(REASON)) };
    let late = by_one(&void(&keys, 0, Some(REASON)));
    for bad in [&alone, &twice, &other, &invented, &nobody, &late] {
        assert_eq!(approve(bad).await, Some(ProblemType::WARRANT_REFUSED));
    }
    assert!(keys.alarms().await.iter().any(|a| a.kind == AlarmKind::RefusedOrder));
    let padded = format!("{}{}", " ".repeat(100_000), REASON);
    for reason in ["now", padded.as_str(), "a reason with a zero \0 in it", "two\nlines of reason"]
    {
        let bad = by_one(&void(&keys, 10, Some(reason)));
        assert_eq!(approve(&bad).await, Some(ProblemType::BAD_REQUEST), "{}", reason.len());
    }
    assert!(!keys.alarms().await.iter().any(|a| a.kind == AlarmKind::BreakGlass));

    assert_eq!(approve(&good).await, None);
    assert_eq!(approve(&by_one(&void(&keys, 10, Some(REASON)))).await, None);
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
    let alone = |change, reason: Option<&str>| {
        let break_glass = reason.map(str::to_owned);
        let order = EpochOrder { domain: Domain::Accounts, change, until, break_glass };
        ChangeEpoch { order: by_one(&keys.sign(order)) }
    };
    let start = EpochChange::Start { epoch: Epoch(1), reseal_until: until };
    let quiet = response.call(&alone(start, None)).await;
    assert_eq!(kind(quiet), Some(ProblemType::WARRANT_REFUSED));
    let loud = response.call(&alone(start, Some(REASON))).await.unwrap();
    assert_eq!((loud.current, loud.reseal_until), (Epoch(1), Some(until)));
    let retire = alone(EpochChange::Retire { epoch: Epoch(0) }, Some(REASON));
    assert_eq!(kind(response.call(&retire).await), Some(ProblemType::WARRANT_REFUSED));
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
    assert_eq!(kind(response.call(&lower(Some(more))).await), Some(ProblemType::BAD_REQUEST));
    let stranger = LowerBudget { caller: name("nobody-1"), ..lower(Some(tiny)) };
    assert_eq!(kind(response.call(&stranger).await), Some(ProblemType::NOT_FOUND));
    response.call(&lower(Some(tiny))).await.unwrap();

    // What was taken before counts.
    assert_eq!(read(&keys, &[3, 4]).await, Some(ProblemType::BUDGET_EXHAUSTED));
    assert_eq!(read(&keys, &[3]).await, None);
    assert_eq!(read(&keys, &[4]).await, Some(ProblemType::BUDGET_EXHAUSTED));
    keys.restart().await;
    assert_eq!(read(&keys, &[4]).await, Some(ProblemType::BUDGET_EXHAUSTED));
    let listed = keys.client("response-1").call(&ListCallers {}).await.unwrap();
    let web = listed.iter().find(|of| of.caller == name("web-ky-1")).unwrap();
    assert_eq!(web.budgets[&Operation::Release], tiny);

    keys.client("response-1").call(&lower(None)).await.unwrap();
    assert_eq!(read(&keys, &[4]).await, None);
    let lowered = events(&keys).await;
    let lowered = lowered.iter().filter(|event| matches!(event, Event::BudgetLowered { .. }));
    assert_eq!(lowered.count(), 2);
}
