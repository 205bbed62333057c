//! Two instances on one PostgreSQL share grants, budgets, warrants, freezes and erased records;
//! each has a log of its own.

use cofferdam_core::{Domain, Record};
use cofferdam_wire::ProblemType;
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

#[tokio::test]
async fn what_changes_at_one_instance_holds_at_the_other() {
    let (_database, mut first, mut second) = two_instances().await;
    let response = first.client("response-1");
    let freeze = freeze("web-ky-2");
    response.call(&freeze).await.unwrap();
    let frozen = async || {
        let refused = second.release("web-ky-2", &[1]).await.unwrap_err();
        refused.is(ProblemType::FROZEN)
    };
    until(frozen).await;

    let erase = EraseRecords {
        domain: Domain::Accounts,
        caller: name("web-ky-1"),
        records: vec![Record(5)],
        held: true,
    };
    first.client("accounts").call(&erase).await.unwrap();
    until(async || second.release("web-ky-1", &[5]).await == Ok(0)).await;

    let mut policy = first.policy();
    policy.version = 2;
    policy.callers.retain(|caller| caller.name != name("web-ky-1"));
    response.call(&ChangePolicy { policy: first.sign(policy) }).await.unwrap();
    let refused = async || {
        let refused = second.release("web-ky-1", &[1]).await;
        refused.is_err_and(|problem| problem.is(ProblemType::NOT_GRANTED))
    };
    until(refused).await;
    assert_eq!(first.alarms().await.len(), second.alarms().await.len(), "one list of alarms");
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
