//! Budgets below the policy's.

use cofferdam_core::{CallerName, Operation};
use cofferdam_store::{Db, StoreError};
use keys_api::LoweringId;
use sqlx::FromRow;

use super::Tx;
use crate::domain::lowerings::{Lowerings, State};

#[derive(FromRow)]
struct LoweringRow {
    caller: String,
    operation: String,
    id: i64,
    budget: String,
    ended: i64,
}

/// Every lowering of a budget, open or ended.
pub async fn lowerings(db: &Db) -> Result<Lowerings, StoreError> {
    let rows: Vec<LoweringRow> =
        sqlx::query_as("SELECT caller, operation, id, budget, ended FROM budget_lowering")
            .fetch_all(db.reader())
            .await?;
    let corrupt = |what: String| StoreError::Corrupt(format!("lowered budget: {what}"));
    let mut lowerings = Lowerings::default();
    for LoweringRow { caller, operation, id, budget, ended } in rows {
        let caller = caller.parse().map_err(|e| corrupt(format!("{e}")))?;
        let known = Operation::ALL.into_iter().find(|of| of.as_str() == operation);
        let operation =
            known.ok_or_else(|| corrupt(format!("there is no operation {operation:?}")))?;
        let state = match ended {
            0 => State::Open(serde_json::from_str(&budget).map_err(|e| corrupt(e.to_string()))?),
            _ => State::Ended,
        };
        lowerings.insert(&caller, operation, LoweringId(id.cast_unsigned()), state);
    }
    Ok(lowerings)
}

/// Lowers a budget, in place of earlier lowerings.
pub async fn lower_budget(
    db: &Db,
    (caller, operation): (&CallerName, Operation),
    (lowering, state): (LoweringId, State),
    replaces: &[LoweringId],
) -> Result<(), StoreError> {
    let mut change = db.begin_shared_change().await?;
    for replaced in replaces {
        insert(&mut change.tx, caller, operation, (*replaced, State::Ended)).await?;
    }
    insert(&mut change.tx, caller, operation, (lowering, state)).await?;
    change.commit().await?;
    Ok(())
}

/// Stores a lowering as it is. One that ended stays ended.
pub async fn save_lowering(
    db: &Db,
    caller: &CallerName,
    operation: Operation,
    lowering: (LoweringId, State),
) -> Result<(), StoreError> {
    lower_budget(db, (caller, operation), lowering, &[]).await
}

async fn insert(
    tx: &mut Tx,
    caller: &CallerName,
    operation: Operation,
    (lowering, state): (LoweringId, State),
) -> Result<(), StoreError> {
    const INSERT: &str = "INSERT INTO budget_lowering (caller, operation, id, budget, ended) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (caller, operation, id) DO UPDATE \
         SET budget = CASE WHEN excluded.ended = 0 THEN excluded.budget ELSE budget_lowering.budget END, \
             ended = CASE WHEN excluded.ended = 1 THEN 1 ELSE budget_lowering.ended END";
    let (budget, ended) = match state {
        State::Open(budget) => (serde_json::to_string(&budget), 0_i64),
        State::Ended => (Ok(String::new()), 1),
    };
    sqlx::query(INSERT)
        .bind(caller.as_str().to_owned())
        .bind(operation.as_str())
        .bind(lowering.0.cast_signed())
        .bind(budget.map_err(|e| StoreError::Corrupt(e.to_string()))?)
        .bind(ended)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
