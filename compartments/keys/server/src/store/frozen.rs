//! Frozen callers.

use cofferdam_core::CallerName;
use cofferdam_store::{Db, StoreError};
use sqlx::Row;

use super::changed;

/// Who is frozen.
pub async fn frozen_callers(db: &Db) -> Result<Vec<CallerName>, StoreError> {
    let rows = sqlx::query("SELECT caller FROM frozen_caller").fetch_all(db.reader()).await?;
    rows.iter()
        .map(|row| {
            let name: String = row.try_get(0)?;
            name.parse().map_err(|e| StoreError::Corrupt(format!("frozen caller: {e}")))
        })
        .collect()
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
    changed(&mut tx).await?;
    tx.commit().await?;
    Ok(())
}
