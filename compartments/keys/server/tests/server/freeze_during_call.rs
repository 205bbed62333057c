//! A caller that is frozen while its request waits gets nothing.

use cofferdam_core::{Call, KeyBytes, Operation, Record};
use cofferdam_wire::ProblemType;
use keys_api::{EnrolItem, EnrolPasswords, Enrolment, Event, IndexAddresses};
use sqlx::PgPool;
use testkit::postgres::Database;

use crate::support::{Keys, ask, events, freeze, name, refused, typed, until};

/// Makes a call wait at the shared budget, freezes a caller meanwhile, and lets the call go on.
async fn frozen_meanwhile<C: Call + 'static>(
    keys: &Keys,
    pool: &PgPool,
    operation: Operation,
    frozen: &str,
    call: C,
) where
    C::Answer: std::fmt::Debug,
{
    let mut budget = pool.begin().await.unwrap();
    let lock = "INSERT INTO budget_use (caller, operation, span, slot, records)
         VALUES ('web-ky-1', $1, 'lock', 0, 1)
         ON CONFLICT (caller, operation, span, slot) DO UPDATE SET records = 1";
    sqlx::query(lock).bind(operation.as_str()).execute(&mut *budget).await.unwrap();
    let accounts = keys.client("accounts");
    let call = tokio::spawn(async move { accounts.call(&call).await });
    let waiting = "SELECT COUNT(*) FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock'";
    until(async || sqlx::query_scalar::<_, i64>(waiting).fetch_one(pool).await.unwrap() > 0).await;
    keys.client("response-1").call(&freeze(frozen)).await.unwrap();
    budget.commit().await.unwrap();
    refused(call.await.unwrap(), ProblemType::FROZEN);
    assert_eq!(keys.thaw(frozen, 1).await, []);
}

#[tokio::test]
async fn a_freeze_during_the_call_is_seen_before_the_answer_leaves() {
    let database = Database::create().await;
    let mut keys = Keys::start_on(tempfile::tempdir().unwrap(), database.location()).await;
    let pool = PgPool::connect(&database.url()).await.unwrap();
    // Either the caller is frozen, or the compartment that asks for it.
    for frozen in ["web-ky-1", "accounts"] {
        let release = ask("web-ky-1", &[1]);
        frozen_meanwhile(&keys, &pool, Operation::Release, frozen, release).await;
        let typed = typed("web-ky-1", Record(1));
        frozen_meanwhile(&keys, &pool, Operation::Harden, frozen, typed).await;
        let item = EnrolItem { record: Record(1), hash: KeyBytes::new([1; 32]) };
        let (caller, items) = (name("web-ky-1"), vec![item]);
        let enrol = EnrolPasswords { caller, on: Enrolment::Reset, items };
        frozen_meanwhile(&keys, &pool, Operation::Attest, frozen, enrol).await;
        let index =
            IndexAddresses { caller: name("web-ky-1"), digests: vec![KeyBytes::new([1; 32])] };
        frozen_meanwhile(&keys, &pool, Operation::Index, frozen, index).await;
        // Credit that is left is spent without the database, so it must expire first.
        keys.clock.advance(jiff::SignedDuration::from_secs(1));
    }
    let logged = events(&keys).await;
    let released = logged.iter().filter(|event| matches!(event, Event::Released { .. }));
    assert_eq!(released.count(), 2, "the log names what was asked for");
    assert_eq!(keys.release("web-ky-1", &[1]).await, Ok(1), "thawed again");
    pool.close().await;
    keys.stop().await;
}
