//! Budgets below the policy's.

use std::collections::HashMap;

use cofferdam_core::{CallerName, Operation};
use cofferdam_store::{Db, StoreError};
use keys_api::Budget;
use sqlx::FromRow;

use super::move_generation;

#[derive(FromRow)]
struct LoweredRow {
    caller: String,
    operation: String,
    budget: String,
}

/// Every lowered budget.
pub async fn lowered_budgets(
    db: &Db,
) -> Result<HashMap<(CallerName, Operation), Budget>, StoreError> {
    let rows: Vec<LoweredRow> =
        sqlx::query_as("SELECT caller, operation, budget FROM lowered_budget")
            .fetch_all(db.reader())
            .await?;
    let corrupt = |what: String| StoreError::Corrupt(format!("lowered budget: {what}"));
    let lowered = |LoweredRow { caller, operation, budget }| {
        let caller = caller.parse().map_err(|e| corrupt(format!("{e}")))?;
        let known = Operation::ALL.into_iter().find(|of| of.as_str() == operation);
        let operation =
            known.ok_or_else(|| corrupt(format!("there is no operation {operation:?}")))?;
        let budget = serde_json::from_str(&budget).map_err(|e| corrupt(e.to_string()))?;
        Ok(((caller, operation), budget))
    };
    rows.into_iter().map(lowered).collect()
}

/// Lowers a budget; `None` restores the policy's.
pub async fn set_lowered(
    db: &Db,
    caller: &CallerName,
    operation: Operation,
    budget: Option<&Budget>,
) -> Result<(), StoreError> {
    let mut tx = db.begin().await?;
    sqlx::query("DELETE FROM lowered_budget WHERE caller = $1 AND operation = $2")
        .bind(caller.as_str().to_owned())
        .bind(operation.as_str())
        .execute(&mut *tx)
        .await?;
    if let Some(budget) = budget {
        let json = serde_json::to_string(budget).map_err(|e| StoreError::Corrupt(e.to_string()))?;
        sqlx::query("INSERT INTO lowered_budget (caller, operation, budget) VALUES ($1, $2, $3)")
            .bind(caller.as_str().to_owned())
            .bind(operation.as_str())
            .bind(json)
            .execute(&mut *tx)
            .await?;
    }
    move_generation(&mut tx).await?;
    tx.commit().await?;
    Ok(())
}
