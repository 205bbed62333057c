//! Budgets hold across restarts and days, and one person may lower them.

use cofferdam_core::{KeyBytes, NO_SUCH_CALLER, Operation, Record};
use cofferdam_wire::ProblemType;
use jiff::SignedDuration;
use keys_api::{
    AlarmKind, Budget, ChangePolicy, Event, HardenItem, HardenPasswords, ListCallers, LowerBudget,
};

use crate::support::{Keys, ask, events, name, refused};

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
    let lower = |budget| LowerBudget {
        caller: name("web-ky-1"),
        operation: Operation::Release,
        budget,
        reason: "it reads more than it should".parse().unwrap(),
    };
    let tiny = Budget { minute: 3, hour: 3, day: 3, burst: 0 };
    let spent = async |keys: &Keys, records: &[u32]| {
        let answer = keys.client("accounts").call(&ask("web-ky-1", records)).await;
        refused(answer, ProblemType::BUDGET_EXHAUSTED);
    };
    assert_eq!(keys.release("web-ky-1", &[1, 2]).await, Ok(2));
    let response = keys.client("response-1");
    let more = Budget { day: u64::MAX, ..tiny };
    refused(response.call(&lower(Some(more))).await, ProblemType::BAD_REQUEST);
    let stranger = LowerBudget { caller: name("nobody-1"), ..lower(Some(tiny)) };
    refused(response.call(&stranger).await, NO_SUCH_CALLER);
    response.call(&lower(Some(tiny))).await.unwrap();

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

    keys.client("response-1").call(&lower(None)).await.unwrap();
    assert_eq!(keys.release("web-ky-1", &[4]).await, Ok(1));
    let lowered = events(&keys).await;
    let lowered = lowered.iter().filter(|event| matches!(event, Event::BudgetLowered { .. }));
    assert_eq!(lowered.count(), 2);
}

/// Passwords that were typed for nobody, or twice for one customer, take the budget. A start after
/// a kill knows of them.
#[tokio::test]
async fn a_budget_of_passwords_is_exact_after_a_kill() {
    let mut keys = Keys::start().await;
    let harden = |record: Record, count| HardenPasswords {
        caller: name("web-ky-1"),
        items: vec![HardenItem { record, hash: KeyBytes::new([0; 32]) }; count],
        looked_up: None,
    };
    for (record, count) in [(Record::NOBODY, 60), (Record(1), 40)] {
        keys.client("accounts").call(&harden(record, count)).await.unwrap();
    }
    for _ in 0..2 {
        let spent = keys.client("accounts").call(&harden(Record(2), 1)).await;
        refused(spent, ProblemType::BUDGET_EXHAUSTED);
        keys.crash(0).await;
    }
    let beside = events(&keys).await.into_iter().filter_map(|event| match event {
        Event::HardenedBeside { count, .. } => Some(count),
        _ => None,
    });
    assert_eq!(beside.collect::<Vec<_>>(), [60, 39]);
}
