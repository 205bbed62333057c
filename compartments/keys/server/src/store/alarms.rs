//! Alarms.

use cofferdam_core::{CallerName, Timestamp};
use cofferdam_store::{Db, StoreError};
use keys_api::{Alarm, AlarmKind};
use sqlx::any::AnyRow;
use sqlx::{Any, Row, Transaction};

/// Writes a new alarm; its sequence number, the next. Instances that share the database wait for
/// each other here, so that no reader ever passes a number that is still to come.
pub async fn insert_alarm(db: &Db, alarm: &Alarm) -> Result<u64, StoreError> {
    let mut tx = db.begin().await?;
    let seq = next_seq(&mut tx).await?;
    sqlx::query(
        "INSERT INTO alarm (seq, kind, caller, first_ms, last_ms, count, detail)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(seq)
    .bind(alarm.kind.as_str())
    .bind(alarm.caller.as_ref().map_or("", CallerName::as_str).to_owned())
    .bind(alarm.first.as_millisecond())
    .bind(alarm.last.as_millisecond())
    .bind(alarm.count.cast_signed())
    .bind(alarm.detail.clone())
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(seq.cast_unsigned())
}

/// Writes repeats of an alarm: it moves to the next sequence number, so that readers see it
/// again.
pub async fn update_alarm(db: &Db, alarm: &Alarm) -> Result<u64, StoreError> {
    let mut tx = db.begin().await?;
    let seq = next_seq(&mut tx).await?;
    sqlx::query("UPDATE alarm SET seq = $1, last_ms = $2, count = $3, detail = $4 WHERE seq = $5")
        .bind(seq)
        .bind(alarm.last.as_millisecond())
        .bind(alarm.count.cast_signed())
        .bind(alarm.detail.clone())
        .bind(alarm.seq.cast_signed())
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(seq.cast_unsigned())
}

/// The next sequence number; the counter's row is held until the transaction ends.
async fn next_seq(tx: &mut Transaction<'static, Any>) -> Result<i64, StoreError> {
    let row = sqlx::query("UPDATE alarm_seq SET newest = newest + 1 RETURNING newest")
        .fetch_one(&mut **tx)
        .await?;
    Ok(row.try_get(0)?)
}

/// Up to which alarm a place has been told.
pub async fn delivered_upto(db: &Db, sink: &str) -> Result<u64, StoreError> {
    let row = sqlx::query("SELECT upto FROM alarm_delivery WHERE sink = $1")
        .bind(sink.to_owned())
        .fetch_optional(db.reader())
        .await?;
    row.map_or(Ok(0), |row| Ok(row.try_get::<i64, _>(0)?.cast_unsigned()))
}

/// Notes that a place has been told.
pub async fn set_delivered(db: &Db, sink: &str, upto: u64) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO alarm_delivery (sink, upto) VALUES ($1, $2)
         ON CONFLICT (sink) DO UPDATE SET upto = excluded.upto",
    )
    .bind(sink.to_owned())
    .bind(upto.cast_signed())
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
