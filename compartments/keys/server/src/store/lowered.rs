//! Budgets below the policy's.

use cofferdam_core::{CallerName, Operation};
use cofferdam_store::{Db, StoreError};
use keys_api::Budget;
use sqlx::Row;

use super::changed;

/// Every lowered budget.
pub async fn lowered_budgets(
    db: &Db,
) -> Result<Vec<((CallerName, Operation), Budget)>, StoreError> {
    let rows = sqlx::query("SELECT caller, operation, budget FROM lowered_budget")
        .fetch_all(db.reader())
        .await?;
    let corrupt = |what: &str| StoreError::Corrupt(format!("lowered budget: {what}"));
    rows.iter()
        .map(|row| {
            let name: String = row.try_get(0)?;
            let (operation, budget): (String, String) = (row.try_get(1)?, row.try_get(2)?);
            let known = Operation::ALL.into_iter().find(|of| of.as_str() == operation);
            let caller = name.parse().map_err(|_| corrupt(&name))?;
            let budget = serde_json::from_str(&budget).map_err(|e| corrupt(&e.to_string()))?;
            Ok(((caller, known.ok_or_else(|| corrupt(&operation))?), budget))
        })
        .collect()
}

/// Lowers a budget, or leaves it to the policy again.
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
    changed(&mut tx).await?;
    tx.commit().await?;
    Ok(())
}
