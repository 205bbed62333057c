//! Budgets that several instances share: each takes a credit of records from the shared windows and
//! spends it within a second.

use cofferdam_core::{CallerName, Timestamp};
use cofferdam_store::{Db, StoreError};
use keys_api::Budget;
use sqlx::FromRow;

use super::Tx;
use crate::domain::budget::{Charge, KeptWindow, SHARED_SLACK, Spent, Windows};

/// The value in the column `span` of the row that instances lock. All other rows are slots of
/// windows.
const LOCK: &str = "lock";

/// A credit that is to be taken.
#[derive(Debug, Clone)]
pub struct Reservation<'a> {
    /// The caller whose budget it is.
    pub caller: &'a CallerName,
    /// The limits of the budget.
    pub budget: Budget,
    /// The use for which the credit is taken. The credit has at least its records, or there is
    /// none.
    pub charge: Charge,
    /// The number of records that the credit should have, if the budget has them.
    pub wanted: u64,
    /// The rest of an earlier credit: the instant at which it was taken, and its records.
    pub returned: Option<(Timestamp, u64)>,
}

#[derive(FromRow)]
struct SlotRow {
    span: String,
    slot: i64,
    records: i64,
}

/// Takes a credit, and returns its number of records.
pub async fn reserve(db: &Db, wish: &Reservation<'_>) -> Result<Result<u64, Spent>, StoreError> {
    let mut tx = db.begin().await?;
    lock(&mut tx, wish).await?;
    let mut windows = read(&mut tx, wish).await?;
    if let Some((at, records)) = wish.returned {
        windows.give_back(at, records);
    }
    let Reservation { budget, charge: Charge { at, records, .. }, wanted, .. } = *wish;
    if let Some(refusal) = windows.refusal(budget, at, records) {
        write(&mut tx, wish, &windows).await?;
        tx.commit().await?;
        return Ok(Err(refusal.of(wish.caller)));
    }
    let fits = |n: &u64| windows.clone().refusal(budget, at, *n).is_none();
    let granted = [wanted, wanted / 4].into_iter().find(|n| *n >= records && fits(n));
    let granted = granted.unwrap_or(records);
    windows.record(at, granted, budget.minute);
    write(&mut tx, wish, &windows).await?;
    tx.commit().await?;
    Ok(Ok(granted))
}

/// Makes instances wait for each other, caller by caller and operation by operation.
async fn lock(tx: &mut Tx, wish: &Reservation<'_>) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO budget_use (caller, operation, span, slot, records)
         VALUES ($1, $2, $3, 0, 1)
         ON CONFLICT (caller, operation, span, slot)
         DO UPDATE SET records = budget_use.records",
    )
    .bind(wish.caller.as_str().to_owned())
    .bind(wish.charge.operation.as_str())
    .bind(LOCK)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

async fn read(tx: &mut Tx, wish: &Reservation<'_>) -> Result<Windows, StoreError> {
    let rows: Vec<SlotRow> = sqlx::query_as(
        "SELECT span, slot, records FROM budget_use
         WHERE caller = $1 AND operation = $2 AND span <> $3 ORDER BY slot",
    )
    .bind(wish.caller.as_str().to_owned())
    .bind(wish.charge.operation.as_str())
    .bind(LOCK)
    .fetch_all(&mut **tx)
    .await?;
    let mut windows = Windows::new(SHARED_SLACK);
    for row in rows {
        windows.recall(&row.span, row.slot, row.records.cast_unsigned());
    }
    Ok(windows)
}

/// Writes the slots that changed, and deletes those that no longer count.
async fn write(tx: &mut Tx, wish: &Reservation<'_>, windows: &Windows) -> Result<(), StoreError> {
    for KeptWindow { name, oldest, changed } in windows.kept() {
        sqlx::query(
            "DELETE FROM budget_use WHERE caller = $1 AND operation = $2 AND span = $3 AND slot < $4",
        )
        .bind(wish.caller.as_str().to_owned())
        .bind(wish.charge.operation.as_str())
        .bind(name)
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
            .bind(wish.charge.operation.as_str())
            .bind(name)
            .bind(slot)
            .bind(records.cast_signed())
            .execute(&mut **tx)
            .await?;
        }
    }
    Ok(())
}
