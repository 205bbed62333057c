//! Two instances on one PostgreSQL share grants, budgets, warrants, freezes and erased records;
//! each has a log of its own. A change that was answered holds at both.

use std::time::Duration;

use cofferdam_core::{Domain, Record};
use cofferdam_store::Location;
use cofferdam_wire::{Problem, ProblemType};
use keys_api::{ChangePolicy, ClaimDecoys, EraseRecords, Event, OpenWarrant, ReleaseKeys};

use crate::support::{Keys, ask, events, freeze, name, until, warrant};

async fn two_instances() -> (testkit::postgres::Database, Keys, Keys) {
    let database = testkit::postgres::Database::create().await;
    let dir = tempfile::tempdir().unwrap();
    let first = Keys::start_on(dir, database.location()).await;
    let second = first.second().await;
    (database, first, second)
}

fn released(events: &[Event]) -> usize {
    let records = events.iter().filter_map(|event| match event {
        Event::Released { records, .. } => Some(records.as_slice().len()),
        _ => None,
    });
    records.sum()
}

#[tokio::test]
async fn a_budget_holds_across_instances_and_their_crashes() {
    let (_database, mut first, mut second) = two_instances().await;
    let mut given = 0;
    for n in 0..200_u32 {
        let keys = if n % 3 == 0 { &first } else { &second };
        match keys.release("web-ky-1", &[n]).await {
            Ok(records) => given += records,
            // The instance has just started, or the machine is busy.
            Err(problem) if problem.is(ProblemType::ORDERS_UNKNOWN) => {}
            Err(problem) => assert!(problem.is(ProblemType::BUDGET_EXHAUSTED)),
        }
        if n == 60 {
            second.restart().await;
        }
    }
    // Credit that a process had at its end is lost for the caller, and still counts in the budget.
    assert!((80..=100).contains(&given), "{given} of 100");
    let logged = released(&events(&first).await) + released(&events(&second).await);
    assert_eq!(logged, given);
    first.stop().await;
    second.stop().await;
}

/// Releases a key, once the instance knows the newest orders.
async fn release(keys: &Keys, caller: &str, record: u32) -> Result<usize, Problem> {
    loop {
        match keys.release(caller, &[record]).await {
            Err(e) if e.is(ProblemType::ORDERS_UNKNOWN) => {}
            answer => return answer,
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn what_changes_at_one_instance_holds_at_the_other_when_it_is_answered() {
    let (_database, mut first, mut second) = two_instances().await;
    let response = first.client("response-1");
    for _ in 0..3 {
        assert!(release(&second, "web-ky-1", 1).await.is_ok());
        response.call(&freeze("web-ky-1")).await.unwrap();
        let refused = release(&second, "web-ky-1", 1).await.unwrap_err();
        assert!(refused.is(ProblemType::FROZEN), "{refused}");
        assert_eq!(second.thaw("web-ky-1", 1).await, []);
        assert!(release(&first, "web-ky-1", 1).await.is_ok());
    }

    let erase = EraseRecords {
        domain: Domain::Accounts,
        caller: name("web-ky-1"),
        records: vec![Record(5)],
        held: true,
    };
    first.client("accounts").call(&erase).await.unwrap();
    assert_eq!(release(&second, "web-ky-1", 5).await, Ok(0));

    let mut policy = first.policy();
    policy.version = 2;
    policy.callers.retain(|caller| caller.name != name("web-ky-1"));
    response.call(&ChangePolicy { policy: first.sign(policy) }).await.unwrap();
    let refused = release(&second, "web-ky-1", 1).await.unwrap_err();
    assert!(refused.is(ProblemType::NOT_GRANTED), "{refused}");
    assert_eq!(first.alarms().await.len(), second.alarms().await.len(), "one list of alarms");
    first.stop().await;
    second.stop().await;
}

/// Each instance freezes before it has heard of the other one's freeze.
#[tokio::test]
async fn one_order_thaws_a_caller_that_two_instances_froze_at_once() {
    let (_database, mut first, mut second) = two_instances().await;
    let [one, other] = [first.client("response-1"), second.client("response-1")];
    for _ in 0..5 {
        let freeze = freeze("web-ky-1");
        let (of_one, of_other) = tokio::join!(one.call(&freeze), other.call(&freeze));
        assert_ne!(of_one.unwrap(), of_other.unwrap());
        assert_eq!(second.thaw("web-ky-1", 1).await, [], "one hold is left open");
        assert!(release(&first, "web-ky-1", 1).await.is_ok());
    }
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn an_instance_without_its_database_serves_nobody_until_it_has_the_orders() {
    let database = testkit::postgres::Database::create().await;
    let dir = tempfile::tempdir().unwrap();
    let mut first = Keys::start_on(dir, database.location()).await;
    let (wire, url) = testkit::Wire::to_database(&database.url()).await;
    let mut second = first.second_on(Location::Postgres(url)).await;
    assert!(release(&second, "web-ky-1", 1).await.is_ok());
    wire.cut();
    first.client("response-1").call(&freeze("web-ky-2")).await.unwrap();
    for caller in ["web-ky-1", "web-ky-2"] {
        let unknown = second.release(caller, &[1]).await.unwrap_err();
        assert!(unknown.is(ProblemType::ORDERS_UNKNOWN), "{unknown}");
    }
    wire.mend();
    let refused = release(&second, "web-ky-2", 1).await.unwrap_err();
    assert!(refused.is(ProblemType::FROZEN), "{refused}");
    assert!(release(&second, "web-ky-1", 1).await.is_ok());
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn a_warrant_is_drawn_down_across_instances() {
    let (_database, mut first, mut second) = two_instances().await;
    let claim = ClaimDecoys { domain: Domain::Accounts, from: Record(0), count: 1_000 };
    let decoys = first.client("accounts").call(&claim).await.unwrap().decoys;
    let mut people = (0..1_000).filter(|n| !decoys.contains(&Record(*n)));
    let people: Vec<u32> = people.by_ref().take(5).collect();
    let warrant = warrant(&first, 3);
    let id = warrant.id;
    let open = OpenWarrant { warrant: first.sign(warrant) };
    first.client("response-1").call(&open).await.unwrap();
    let draw = async |keys: &Keys, records: &[u32]| {
        let call = ReleaseKeys { warrant: Some(id), ..ask("response-1", records) };
        keys.client("accounts").call(&call).await.is_ok()
    };
    assert!(draw(&first, &people[..2]).await);
    until(async || draw(&second, &people[..2]).await).await;
    assert!(draw(&second, &people[2..3]).await);
    assert!(!draw(&first, &people[3..4]).await, "three in all");
    assert!(!draw(&second, &people[4..5]).await);
    first.stop().await;
    second.stop().await;
}

/// Each erasure reads the set of erased records and writes it back with its own: none may get lost.
#[tokio::test]
async fn erasures_at_once_are_all_kept() {
    let database = testkit::postgres::Database::create().await;
    let keys = Keys::start_on(tempfile::tempdir().unwrap(), database.location()).await;
    let accounts = keys.client("accounts");
    let erase = |record| EraseRecords {
        domain: Domain::Accounts,
        caller: name("web-ky-1"),
        records: vec![Record(record)],
        held: true,
    };
    let calls: Vec<_> = (100..140).map(erase).collect();
    let mut all = tokio::task::JoinSet::new();
    for call in calls {
        let accounts = accounts.clone();
        all.spawn(async move { accounts.call(&call).await });
    }
    while let Some(done) = all.join_next().await {
        done.unwrap().unwrap();
    }
    let records: Vec<u32> = (100..140).collect();
    let released = accounts.call(&ask("web-ky-1", &records)).await.unwrap();
    assert_eq!(released.erased.len(), 40);
}
