//! Budgets that several instances share: each takes a credit of records from the common windows
//! and spends it within a second.

use cofferdam_core::{CallerName, Operation, Timestamp};
use cofferdam_store::{Db, StoreError};
use keys_api::Budget;
use sqlx::{Any, Row, Transaction};

use crate::domain::budget::{SHARED_SLACK, Spent, Windows};

/// What is to be taken.
#[derive(Debug, Clone)]
pub struct Reservation<'a> {
    /// Whose budget.
    pub caller: &'a CallerName,
    /// For what.
    pub operation: Operation,
    /// Its limits.
    pub budget: Budget,
    /// Now.
    pub now: Timestamp,
    /// So many at least, or none.
    pub at_least: u64,
    /// So many if there are.
    pub wanted: u64,
    /// What was left of an earlier credit: when it was taken, and how many.
    pub returned: Option<(Timestamp, u64)>,
}

/// Takes a credit: how many records it is for.
pub async fn reserve(db: &Db, wish: &Reservation<'_>) -> Result<Result<u64, Spent>, StoreError> {
    let mut tx = db.begin().await?;
    lock(&mut tx, wish).await?;
    let mut windows = read(&mut tx, wish).await?;
    if let Some((at, records)) = wish.returned {
        windows.give_back(at, records);
    }
    if let Some(refusal) = windows.refusal(wish.budget, wish.now, wish.at_least) {
        write(&mut tx, wish, &windows).await?;
        tx.commit().await?;
        return Ok(Err(refusal.of(wish.caller)));
    }
    let fits = |n: &u64| windows.clone().refusal(wish.budget, wish.now, *n).is_none();
    let granted =
        [wish.wanted, wish.wanted / 4].into_iter().find(|n| *n >= wish.at_least && fits(n));
    let granted = granted.unwrap_or(wish.at_least);
    windows.record(wish.now, granted, wish.budget.minute);
    write(&mut tx, wish, &windows).await?;
    tx.commit().await?;
    Ok(Ok(granted))
}

/// Instances wait for each other, caller by caller and operation by operation.
async fn lock(
    tx: &mut Transaction<'static, Any>,
    wish: &Reservation<'_>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO budget_use (caller, operation, span, slot, records)
         VALUES ($1, $2, 'lock', 0, 1)
         ON CONFLICT (caller, operation, span, slot)
         DO UPDATE SET records = budget_use.records",
    )
    .bind(wish.caller.as_str().to_owned())
    .bind(wish.operation.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

async fn read(
    tx: &mut Transaction<'static, Any>,
    wish: &Reservation<'_>,
) -> Result<Windows, StoreError> {
    let rows = sqlx::query(
        "SELECT span, slot, records FROM budget_use
         WHERE caller = $1 AND operation = $2 AND span <> 'lock' ORDER BY slot",
    )
    .bind(wish.caller.as_str().to_owned())
    .bind(wish.operation.as_str())
    .fetch_all(&mut **tx)
    .await?;
    let mut windows = Windows::new(SHARED_SLACK);
    for row in rows {
        let (span, slot): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
        windows.recall(&span, slot, row.try_get::<i64, _>(2)?.cast_unsigned());
    }
    Ok(windows)
}

/// Writes the windows' slots; what has left them is deleted.
async fn write(
    tx: &mut Transaction<'static, Any>,
    wish: &Reservation<'_>,
    windows: &Windows,
) -> Result<(), StoreError> {
    for (span, oldest, changed) in windows.rows() {
        sqlx::query(
            "DELETE FROM budget_use WHERE caller = $1 AND operation = $2 AND span = $3 AND slot < $4",
        )
        .bind(wish.caller.as_str().to_owned())
        .bind(wish.operation.as_str())
        .bind(span)
        .bind(oldest)
        .execute(&mut **tx)
        .await?;
        for (slot, records) in changed {
            sqlx::query(
                "INSERT INTO budget_use (caller, operation, span, slot, records)
                 VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (caller, operation, span, slot)
                 DO UPDATE SET records = excluded.records",
            )
            .bind(wish.caller.as_str().to_owned())
            .bind(wish.operation.as_str())
            .bind(span)
            .bind(slot)
            .bind(records.cast_signed())
            .execute(&mut **tx)
            .await?;
        }
    }
    Ok(())
}
