//! The holds of incidents on callers.

use cofferdam_core::CallerName;
use cofferdam_store::{Db, StoreError};
use keys_api::{Hold, HoldId};

use super::{Tx, move_generation};
use crate::domain::holds::Holds;

/// Every hold, open or ended.
pub async fn holds(db: &Db) -> Result<Holds, StoreError> {
    let rows: Vec<(String, i64, i64, i64)> =
        sqlx::query_as("SELECT caller, id, incident, ended FROM caller_hold")
            .fetch_all(db.reader())
            .await?;
    let corrupt = |what: &dyn std::error::Error| StoreError::Corrupt(format!("a hold: {what}"));
    let mut holds = Holds::default();
    for (caller, id, incident, ended) in rows {
        let caller = caller.parse().map_err(|e| corrupt(&e))?;
        let incident = u32::try_from(incident).map_err(|e| corrupt(&e))?;
        let hold = HoldId(u64::try_from(id).map_err(|e| corrupt(&e))?);
        holds.insert(&caller, Hold { incident, hold }, ended != 0);
    }
    Ok(holds)
}

/// Takes a hold, which replaces earlier ones of the same incident.
pub async fn take_hold(
    db: &Db,
    caller: &CallerName,
    hold: Hold,
    replaces: &[HoldId],
) -> Result<(), StoreError> {
    let mut tx = db.begin().await?;
    for replaced in replaces {
        insert(&mut tx, caller, Hold { hold: *replaced, ..hold }, true).await?;
    }
    insert(&mut tx, caller, hold, false).await?;
    move_generation(&mut tx).await?;
    tx.commit().await?;
    Ok(())
}

/// Stores a hold as it is. One that ended stays ended.
pub async fn save_hold(
    db: &Db,
    caller: &CallerName,
    hold: Hold,
    ended: bool,
) -> Result<(), StoreError> {
    let mut tx = db.begin().await?;
    insert(&mut tx, caller, hold, ended).await?;
    move_generation(&mut tx).await?;
    tx.commit().await?;
    Ok(())
}

async fn insert(
    tx: &mut Tx,
    caller: &CallerName,
    hold: Hold,
    ended: bool,
) -> Result<(), StoreError> {
    const INSERT: &str = "INSERT INTO caller_hold (caller, id, incident, ended) \
         VALUES ($1, $2, $3, $4) ON CONFLICT (caller, id) DO UPDATE \
         SET ended = CASE WHEN excluded.ended = 1 THEN 1 ELSE caller_hold.ended END";
    sqlx::query(INSERT)
        .bind(caller.as_str().to_owned())
        .bind(hold.hold.0.cast_signed())
        .bind(i64::from(hold.incident))
        .bind(i64::from(ended))
        .execute(&mut **tx)
        .await?;
    Ok(())
}
