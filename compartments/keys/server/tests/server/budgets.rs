//! Budgets hold across restarts and days. One person may lower them; an approver signs to give one back.

use cofferdam_core::{Clock as _, NO_SUCH_CALLER, Operation, Record};
use cofferdam_wire::ProblemType;
use jiff::SignedDuration;
use keys_api::{
    AlarmKind, Budget, ChangePolicy, Event, ListCallers, LowerBudget, LoweringId, NO_SUCH_LOWERING,
    ORDER_REFUSED, RestoreBudget, RestoreOrder, Signed,
};

use crate::support::{Keys, ask, events, name, refused, typed};

fn range(records: std::ops::Range<u32>) -> Vec<u32> {
    records.collect()
}

#[tokio::test]
async fn a_budget_holds_across_a_restart() {
    let mut keys = Keys::start().await;
    assert_eq!(keys.release("web-ky-1", &range(0..100)).await, Ok(100));
    for _ in 0..2 {
        let spent = keys.release("web-ky-1", &[1]).await.unwrap_err();
        assert!(spent.is(ProblemType::BUDGET_EXHAUSTED));
        assert_eq!(spent.retry_after_s, Some(61));
        keys.restart().await;
    }
    keys.clock.advance(SignedDuration::from_secs(61));
    assert_eq!(keys.release("web-ky-1", &range(0..100)).await, Ok(100));
    assert!(keys.alarms().await.iter().any(|a| a.kind == AlarmKind::Budget));
}

/// The day's limit is reached on one day, is still reached after a restart on the next, and is free
/// after its hours have passed.
#[tokio::test]
async fn a_budget_holds_over_days() {
    let mut keys = Keys::start().await;
    let mut policy = keys.policy();
    policy.version = 2;
    let budget = Budget { minute: 100, hour: 100, day: 250, burst: 0 };
    policy.callers[0].budgets.insert(Operation::Release, budget);
    let change = ChangePolicy { policy: keys.sign(policy) };
    keys.client("response-1").call(&change).await.unwrap();

    // Three calls, at 04:00, 12:00 and 20:00.
    for first in [0, 100, 200] {
        let records = range(first..first + if first == 200 { 50 } else { 100 });
        assert_eq!(keys.release("web-ky-1", &records).await, Ok(records.len()));
        keys.clock.advance(SignedDuration::from_hours(8));
    }
    // At 04:00 of the next day the first hundred still count, because the oldest hour counts whole.
    for _ in 0..2 {
        let spent = keys.release("web-ky-1", &[1]).await.unwrap_err();
        assert!(spent.detail.ends_with("budget of 250 a day"), "{}", spent.detail);
        assert_eq!(spent.retry_after_s, Some(3_600));
        keys.restart().await;
    }
    keys.clock.advance(SignedDuration::from_hours(1));
    assert_eq!(keys.release("web-ky-1", &range(0..100)).await, Ok(100));
    keys.clock.advance(SignedDuration::from_hours(7));
    assert!(keys.release("web-ky-1", &[1]).await.is_err());
    keys.clock.advance(SignedDuration::from_hours(1));
    keys.restart().await;
    assert_eq!(keys.release("web-ky-1", &range(0..100)).await, Ok(100));
}

#[tokio::test]
async fn a_lowered_budget_holds_at_once_and_until_it_is_given_back() {
    let mut keys = Keys::start().await;
    let tiny = Budget { minute: 3, hour: 3, day: 3, burst: 0 };
    let spent = async |keys: &Keys, records: &[u32]| {
        let answer = keys.client("accounts").call(&ask("web-ky-1", records)).await;
        refused(answer, ProblemType::BUDGET_EXHAUSTED);
    };
    assert_eq!(keys.release("web-ky-1", &[1, 2]).await, Ok(2));
    let response = keys.client("response-1");
    let more = Budget { day: u64::MAX, ..tiny };
    refused(response.call(&lower(more)).await, ProblemType::BAD_REQUEST);
    let stranger = LowerBudget { caller: name("nobody-1"), ..lower(tiny) };
    refused(response.call(&stranger).await, NO_SUCH_CALLER);
    response.call(&lower(tiny)).await.unwrap();

    // Records that were released before count.
    spent(&keys, &[3, 4]).await;
    assert_eq!(keys.release("web-ky-1", &[3]).await, Ok(1));
    spent(&keys, &[4]).await;
    keys.restart().await;
    spent(&keys, &[4]).await;
    let listed = keys.client("response-1").call(&ListCallers {}).await.unwrap();
    let web = listed.iter().find(|of| of.caller == name("web-ky-1")).unwrap();
    assert_eq!(web.budgets[&Operation::Release], tiny);
    assert_eq!(web.last_hour[&Operation::Release], 3);

    let order = restore_order(&keys).await;
    keys.client("response-1").call(&RestoreBudget { order }).await.unwrap();
    for _ in 0..2 {
        assert_eq!(keys.release("web-ky-1", &[4]).await, Ok(1));
        keys.restart().await;
    }
    let logged = events(&keys).await;
    let lowered = logged.iter().filter(|event| matches!(event, Event::Lowered { .. }));
    assert_eq!(lowered.count(), 1);
    let signed =
        |e: &&Event| matches!(e, Event::Restored { approvers, .. } if approvers == &["ann"]);
    assert_eq!(logged.iter().filter(signed).count(), 1);
}

fn lower(budget: Budget) -> LowerBudget {
    LowerBudget {
        caller: name("web-ky-1"),
        operation: Operation::Release,
        budget,
        reason: "it reads more than it should".parse().unwrap(),
    }
}

/// The order that ends the first lowering of the caller's budget, signed by one approver.
async fn restore_order(keys: &Keys) -> Signed<RestoreOrder> {
    let listed = keys.client("response-1").call(&ListCallers {}).await.unwrap();
    let web = listed.iter().find(|of| of.caller == name("web-ky-1")).unwrap();
    let order = RestoreOrder {
        caller: name("web-ky-1"),
        operation: Operation::Release,
        lowering: web.lowered[0].lowering,
        until: keys.clock.now() + SignedDuration::from_hours(1),
        reason: "it was rebuilt".parse().unwrap(),
    };
    Signed { signatures: vec![keys.approvers[0].sign(&order)], order }
}

/// The certificate of `response` lowers budgets, and gives none back, neither whole nor in part.
#[tokio::test]
async fn giving_a_budget_back_takes_the_signature_of_an_approver_over_this_lowering() {
    let keys = Keys::start().await;
    let response = keys.client("response-1");
    let of = |minute| Budget { minute, hour: 50, day: 50, burst: 0 };
    response.call(&lower(of(10))).await.unwrap();
    refused(response.call(&lower(of(11))).await, ProblemType::BAD_REQUEST);
    response.call(&lower(of(5))).await.unwrap();
    refused(response.call(&lower(of(10))).await, ProblemType::BAD_REQUEST);

    let good = restore_order(&keys).await;
    let restore = async |order| response.call(&RestoreBudget { order }).await;
    let nobody = Signed { signatures: vec![], ..good.clone() };
    refused(restore(nobody).await, ORDER_REFUSED);
    let mut other = good.clone();
    other.order.operation = Operation::Harden;
    refused(restore(other).await, ORDER_REFUSED);
    let order = RestoreOrder { lowering: LoweringId(7), ..good.order.clone() };
    let signatures = vec![keys.approvers[0].sign(&order)];
    refused(restore(Signed { order, signatures }).await, NO_SUCH_LOWERING);
    assert_eq!(keys.release("web-ky-1", &range(0..5)).await, Ok(5));
    assert!(keys.release("web-ky-1", &[1]).await.is_err(), "it is still lowered");
    restore(good.clone()).await.unwrap();
    assert_eq!(keys.release("web-ky-1", &range(0..95)).await, Ok(95), "the policy's budget");

    // The order is replayed after the budget was lowered again, and much later.
    response.call(&lower(of(1))).await.unwrap();
    restore(good.clone()).await.unwrap();
    let listed = response.call(&ListCallers {}).await.unwrap();
    let web = listed.iter().find(|of| of.caller == name("web-ky-1")).unwrap();
    assert_eq!(web.budgets[&Operation::Release], of(1), "nothing was given back");
    keys.clock.advance(SignedDuration::from_hours(2));
    refused(restore(good).await, ORDER_REFUSED);
}

#[tokio::test]
async fn an_older_copy_of_the_database_gives_no_budget_back() {
    let mut keys = Keys::start().await;
    let before = keys.file("before.db");
    std::fs::rename(keys.copy_database().await, &before).unwrap();
    let budget = Budget { minute: 1, hour: 1, day: 1, burst: 0 };
    keys.client("response-1").call(&lower(budget)).await.unwrap();
    let lowered = keys.file("lowered.db");
    std::fs::rename(keys.copy_database().await, &lowered).unwrap();
    keys.put_back_database(&before).await;
    assert!(keys.release("web-ky-1", &[1, 2]).await.is_err(), "the log knows that it was lowered");
    let order = restore_order(&keys).await;
    keys.client("response-1").call(&RestoreBudget { order }).await.unwrap();
    keys.put_back_database(&lowered).await;
    assert_eq!(
        keys.release("web-ky-1", &[1, 2]).await,
        Ok(2),
        "the log knows that it was given back"
    );
}

/// Passwords that were typed for nobody take the budget. A start after a kill knows of them.
#[tokio::test]
async fn a_budget_of_passwords_is_exact_after_a_kill() {
    let mut keys = Keys::start().await;
    for (record, count) in [(Record::NOBODY, 60), (Record(1), 40)] {
        for _ in 0..count {
            let typed = typed("web-ky-1", record);
            assert!(keys.client("accounts").call(&typed).await.unwrap().right.is_none());
        }
    }
    for _ in 0..2 {
        let spent = keys.client("accounts").call(&typed("web-ky-1", Record(2))).await;
        refused(spent, ProblemType::BUDGET_EXHAUSTED);
        keys.crash(0).await;
    }
    let beside = events(&keys).await.into_iter().filter_map(|event| match event {
        Event::HardenedBeside { count, .. } => Some(count),
        _ => None,
    });
    assert_eq!(beside.sum::<u32>(), 60);
}
