//! Alarms.

use cofferdam_core::{CallerName, Timestamp};
use cofferdam_store::{Db, StoreError};
use keys_api::{Alarm, AlarmKind};
use sqlx::Row;
use sqlx::any::AnyRow;

/// The highest sequence number given so far, 0 when there is none.
pub async fn newest_alarm(db: &Db) -> Result<u64, StoreError> {
    let row = sqlx::query("SELECT COALESCE(MAX(seq), 0) FROM alarm").fetch_one(db.reader()).await?;
    Ok(row.try_get::<i64, _>(0)?.cast_unsigned())
}

/// Writes a new alarm.
pub async fn insert_alarm(db: &Db, alarm: &Alarm) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO alarm (seq, kind, caller, first_ms, last_ms, count, detail)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(alarm.seq.cast_signed())
    .bind(alarm.kind.as_str())
    .bind(alarm.caller.as_ref().map_or("", CallerName::as_str).to_owned())
    .bind(alarm.first.as_millisecond())
    .bind(alarm.last.as_millisecond())
    .bind(alarm.count.cast_signed())
    .bind(alarm.detail.clone())
    .execute(db.writer())
    .await?;
    Ok(())
}

/// Writes repeats of an alarm: it moves to a new sequence number, so that readers see it again.
pub async fn update_alarm(db: &Db, old_seq: u64, alarm: &Alarm) -> Result<(), StoreError> {
    sqlx::query("UPDATE alarm SET seq = $1, last_ms = $2, count = $3, detail = $4 WHERE seq = $5")
        .bind(alarm.seq.cast_signed())
        .bind(alarm.last.as_millisecond())
        .bind(alarm.count.cast_signed())
        .bind(alarm.detail.clone())
        .bind(old_seq.cast_signed())
        .execute(db.writer())
        .await?;
    Ok(())
}

/// The alarms after `after`, oldest first, at most 1,000.
pub async fn read_alarms(db: &Db, after: u64) -> Result<Vec<Alarm>, StoreError> {
    sqlx::query(
        "SELECT seq, kind, caller, first_ms, last_ms, count, detail
         FROM alarm WHERE seq > $1 ORDER BY seq LIMIT 1000",
    )
    .bind(after.cast_signed())
    .fetch_all(db.reader())
    .await?
    .iter()
    .map(alarm)
    .collect()
}

fn alarm(row: &AnyRow) -> Result<Alarm, StoreError> {
    let (kind, caller): (String, String) = (row.try_get(1)?, row.try_get(2)?);
    let instant = |ms: i64| {
        Timestamp::from_millisecond(ms).map_err(|e| StoreError::Corrupt(format!("alarm: {e}")))
    };
    let caller = match caller.as_str() {
        "" => None,
        name => Some(name.parse().map_err(|e| StoreError::Corrupt(format!("alarm: {e}")))?),
    };
    Ok(Alarm {
        seq: row.try_get::<i64, _>(0)?.cast_unsigned(),
        kind: AlarmKind::from_name(&kind)
            .ok_or_else(|| StoreError::Corrupt(format!("alarm of kind {kind:?}")))?,
        caller,
        first: instant(row.try_get(3)?)?,
        last: instant(row.try_get(4)?)?,
        count: row.try_get::<i64, _>(5)?.cast_unsigned(),
        detail: row.try_get(6)?,
    })
}
