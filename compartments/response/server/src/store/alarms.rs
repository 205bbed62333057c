//! Alarms: those of `keys`, as copied, and our own.

use cofferdam_core::{CallerName, Timestamp};
use cofferdam_store::StoreError;
use response_api::Alarm;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::rows::{corrupt, instant};
use super::{Store, Turn};

/// The time for which the same alarm of our own does not ring again, in milliseconds.
const REPEAT_AFTER_MS: i64 = 3_600_000;

impl Store {
    /// The newest number at `keys` that was copied; 0 for none.
    pub async fn newest_alarm(&self) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT COALESCE(MAX(keys_seq), 0) AS newest FROM alarm")
            .fetch_one(self.db.reader())
            .await?;
        Ok(row.try_get::<i64, _>("newest")?.cast_unsigned())
    }

    /// Adds copied alarms. An alarm that rang again has a new number, and replaces its earlier
    /// state.
    pub async fn add_alarms(&self, alarms: &[keys_api::Alarm]) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        tx.take_turn(Turn::Number).await?;
        for alarm in alarms {
            let caller = alarm.caller.as_ref().map_or("", CallerName::as_str).to_owned();
            // The new state is numbered before the earlier one is deleted, because that may be the
            // last alarm.
            sqlx::query(
                "INSERT INTO alarm (seq, keys_seq, kind, caller, first_ms, last_ms, count, detail)
                 SELECT COALESCE(MAX(seq), 0) + 1, $1, $2, $3, $4, $5, $6, $7 FROM alarm",
            )
            .bind(alarm.seq.cast_signed())
            .bind(alarm.kind.as_str())
            .bind(caller.clone())
            .bind(alarm.first.as_millisecond())
            .bind(alarm.last.as_millisecond())
            .bind(alarm.count.cast_signed())
            .bind(alarm.detail.clone())
            .execute(&mut *tx.tx)
            .await?;
            sqlx::query(
                "DELETE FROM alarm WHERE kind = $1 AND caller = $2 AND first_ms = $3
                     AND seq < (SELECT MAX(seq) FROM alarm)",
            )
            .bind(alarm.kind.as_str())
            .bind(caller)
            .bind(alarm.first.as_millisecond())
            .execute(&mut *tx.tx)
            .await?;
        }
        tx.commit().await
    }

    /// Raises an alarm of our own, unless the same alarm rang within the last hour.
    pub async fn raise(&self, kind: &str, detail: &str, at: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        tx.take_turn(Turn::Number).await?;
        sqlx::query(
            "INSERT INTO alarm (seq, kind, caller, first_ms, last_ms, count, detail)
             SELECT COALESCE(MAX(seq), 0) + 1, $1, '', $2, $2, 1, $3 FROM alarm
             HAVING NOT EXISTS
                 (SELECT 1 FROM alarm WHERE kind = $1 AND detail = $3 AND last_ms > $4)",
        )
        .bind(kind.to_owned())
        .bind(at.as_millisecond())
        .bind(detail.to_owned())
        .bind(at.as_millisecond() - REPEAT_AFTER_MS)
        .execute(&mut *tx.tx)
        .await?;
        tx.commit().await
    }

    /// Reads the alarms after number `after` that last rang at or after `since`, oldest first; at
    /// most 1,000.
    pub async fn alarms(&self, after: u64, since: Timestamp) -> Result<Vec<Alarm>, StoreError> {
        let rows = sqlx::query(
            "SELECT seq, kind, caller, first_ms, last_ms, count, detail
             FROM alarm WHERE seq > $1 AND last_ms >= $2 ORDER BY seq LIMIT 1000",
        )
        .bind(after.cast_signed())
        .bind(since.as_millisecond())
        .fetch_all(self.db.reader())
        .await?;
        rows.iter().map(alarm).collect()
    }
}

fn alarm(row: &AnyRow) -> Result<Alarm, StoreError> {
    let caller: String = row.try_get("caller")?;
    let caller = (!caller.is_empty()).then(|| caller.parse()).transpose();
    Ok(Alarm {
        seq: row.try_get::<i64, _>("seq")?.cast_unsigned(),
        kind: row.try_get("kind")?,
        caller: caller.map_err(corrupt)?,
        first: instant(row, "first_ms")?,
        last: instant(row, "last_ms")?,
        count: row.try_get::<i64, _>("count")?.cast_unsigned(),
        detail: row.try_get("detail")?,
    })
}
