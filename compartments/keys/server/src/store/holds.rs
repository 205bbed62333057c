//! The holds of incidents on callers.

use cofferdam_core::CallerName;
use cofferdam_store::{Db, StoreError};
use keys_api::{Hold, HoldId};

use super::Tx;
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

/// Takes a hold, which replaces earlier ones of the same incident; `false`, without a change, if the
/// incident has another open one, which an instance has taken meanwhile.
pub async fn take_hold(
    db: &Db,
    caller: &CallerName,
    hold: Hold,
    replaces: &[HoldId],
) -> Result<bool, StoreError> {
    const OPEN: &str =
        "SELECT id FROM caller_hold WHERE caller = $1 AND incident = $2 AND ended = 0";
    let mut change = db.begin_shared_change().await?;
    let open: Vec<i64> = sqlx::query_scalar(OPEN)
        .bind(caller.as_str().to_owned())
        .bind(i64::from(hold.incident))
        .fetch_all(&mut *change.tx)
        .await?;
    let is_replaced = |id: &i64| replaces.iter().any(|of| of.0 == id.cast_unsigned());
    if !open.iter().all(is_replaced) {
        return Ok(false);
    }
    for replaced in replaces {
        insert(&mut change.tx, caller, Hold { hold: *replaced, ..hold }, true).await?;
    }
    insert(&mut change.tx, caller, hold, false).await?;
    change.commit().await?;
    Ok(true)
}

/// Stores a hold as it is. One that ended stays ended.
pub async fn save_hold(
    db: &Db,
    caller: &CallerName,
    hold: Hold,
    ended: bool,
) -> Result<(), StoreError> {
    let mut change = db.begin_shared_change().await?;
    insert(&mut change.tx, caller, hold, ended).await?;
    change.commit().await?;
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
