//! Alarms.

use cofferdam_core::{CallerName, Timestamp};
use cofferdam_store::{Db, StoreError};
use keys_api::{Alarm, AlarmKind};
use sqlx::FromRow;

use super::Tx;

/// The most alarms that one read returns.
const PAGE: i64 = 1_000;
/// The value in the column `caller` if no caller set the alarm off.
const NO_CALLER: &str = "";

#[derive(FromRow)]
struct AlarmRow {
    seq: i64,
    kind: String,
    caller: String,
    first_ms: i64,
    last_ms: i64,
    count: i64,
    detail: String,
}

/// Writes a new alarm under the next sequence number, and returns the number. Instances that share
/// the database wait for each other here, so that no reader ever passes a number that is still to
/// come.
pub async fn insert_alarm(db: &Db, alarm: &Alarm) -> Result<u64, StoreError> {
    let mut tx = db.begin().await?;
    let seq = next_seq(&mut tx).await?;
    sqlx::query(
        "INSERT INTO alarm (seq, kind, caller, first_ms, last_ms, count, detail)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(seq)
    .bind(alarm.kind.as_str())
    .bind(alarm.caller.as_ref().map_or(NO_CALLER, CallerName::as_str).to_owned())
    .bind(alarm.first.as_millisecond())
    .bind(alarm.last.as_millisecond())
    .bind(alarm.count.cast_signed())
    .bind(alarm.detail.clone())
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(seq.cast_unsigned())
}

/// Writes repeats of an alarm. The alarm moves to the next sequence number, so that readers see it
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
async fn next_seq(tx: &mut Tx) -> Result<i64, StoreError> {
    let next = "UPDATE alarm_seq SET newest = newest + 1 RETURNING newest";
    Ok(sqlx::query_scalar(next).fetch_one(&mut **tx).await?)
}

/// The number of the last alarm that a sink has.
pub async fn delivered_upto(db: &Db, sink: &str) -> Result<u64, StoreError> {
    let upto: Option<i64> = sqlx::query_scalar("SELECT upto FROM alarm_delivery WHERE sink = $1")
        .bind(sink.to_owned())
        .fetch_optional(db.reader())
        .await?;
    Ok(upto.unwrap_or(0).cast_unsigned())
}

/// Notes that a sink has the alarms up to `upto`.
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

/// The alarms after the sequence number `after`, oldest first, at most [`PAGE`].
pub async fn read_alarms(db: &Db, after: u64) -> Result<Vec<Alarm>, StoreError> {
    let rows: Vec<AlarmRow> = sqlx::query_as(
        "SELECT seq, kind, caller, first_ms, last_ms, count, detail
         FROM alarm WHERE seq > $1 ORDER BY seq LIMIT $2",
    )
    .bind(after.cast_signed())
    .bind(PAGE)
    .fetch_all(db.reader())
    .await?;
    rows.into_iter().map(Alarm::try_from).collect()
}

impl TryFrom<AlarmRow> for Alarm {
    type Error = StoreError;

    fn try_from(row: AlarmRow) -> Result<Self, StoreError> {
        let corrupt = |e: String| StoreError::Corrupt(format!("alarm {}: {e}", row.seq));
        let instant = |ms| Timestamp::from_millisecond(ms).map_err(|e| corrupt(e.to_string()));
        let caller = match row.caller.as_str() {
            NO_CALLER => None,
            name => Some(name.parse().map_err(|e| corrupt(format!("{e}")))?),
        };
        let kind = AlarmKind::from_name(&row.kind);
        Ok(Self {
            seq: row.seq.cast_unsigned(),
            kind: kind.ok_or_else(|| corrupt(format!("there is no kind {:?}", row.kind)))?,
            caller,
            first: instant(row.first_ms)?,
            last: instant(row.last_ms)?,
            count: row.count.cast_unsigned(),
            detail: row.detail,
        })
    }
}
