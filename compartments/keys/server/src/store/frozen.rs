//! Frozen callers.

use std::collections::HashSet;

use cofferdam_core::CallerName;
use cofferdam_store::{Db, StoreError};

use super::move_generation;

/// Every frozen caller.
pub async fn frozen_callers(db: &Db) -> Result<HashSet<CallerName>, StoreError> {
    let names: Vec<String> =
        sqlx::query_scalar("SELECT caller FROM frozen_caller").fetch_all(db.reader()).await?;
    let names = names.iter().map(|name| name.parse());
    names.collect::<Result<_, _>>().map_err(|e| StoreError::Corrupt(format!("frozen caller: {e}")))
}

/// Freezes or thaws a caller.
pub async fn set_frozen(db: &Db, caller: &CallerName, frozen: bool) -> Result<(), StoreError> {
    let statement = if frozen {
        "INSERT INTO frozen_caller (caller) VALUES ($1) ON CONFLICT (caller) DO NOTHING"
    } else {
        "DELETE FROM frozen_caller WHERE caller = $1"
    };
    let mut tx = db.begin().await?;
    sqlx::query(statement).bind(caller.as_str().to_owned()).execute(&mut *tx).await?;
    move_generation(&mut tx).await?;
    tx.commit().await?;
    Ok(())
}
