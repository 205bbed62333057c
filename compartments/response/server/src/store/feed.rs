//! The alarms of `keys`, as copied.

use cofferdam_core::{CallerName, Timestamp};
use cofferdam_store::StoreError;
use keys_api::Alarm;
use response_api::FeedAlarm;
use sqlx::Row;

use super::{Store, corrupt, instant};

impl Store {
    /// The newest of the numbers at `keys` that was copied, 0 for none.
    pub async fn newest_alarm(&self) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT COALESCE(MAX(keys_seq), 0) FROM feed")
            .fetch_one(self.db.reader())
            .await?;
        Ok(row.try_get::<i64, _>(0)?.cast_unsigned())
    }

    /// Adds copied alarms. One that moved to a new sequence number, since it rang again, replaces
    /// its earlier state.
    pub async fn add_alarms(&self, alarms: &[Alarm]) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        for alarm in alarms {
            let caller = alarm.caller.as_ref().map_or("", CallerName::as_str).to_owned();
            sqlx::query("DELETE FROM feed WHERE kind = $1 AND caller = $2 AND first_ms = $3")
                .bind(alarm.kind.as_str())
                .bind(caller.clone())
                .bind(alarm.first.as_millisecond())
                .execute(&mut *tx)
                .await?;
            sqlx::query(
                "INSERT INTO feed (seq, keys_seq, kind, caller, first_ms, last_ms, count, detail)
                 SELECT COALESCE(MAX(seq), 0) + 1, $1, $2, $3, $4, $5, $6, $7 FROM feed",
            )
            .bind(alarm.seq.cast_signed())
            .bind(alarm.kind.as_str())
            .bind(caller)
            .bind(alarm.first.as_millisecond())
            .bind(alarm.last.as_millisecond())
            .bind(alarm.count.cast_signed())
            .bind(alarm.detail.clone())
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Raises an alarm of our own, unless the same rang within the last hour.
    pub async fn raise(&self, kind: &str, detail: &str, at: Timestamp) -> Result<(), StoreError> {
        let hour_ago = at.as_millisecond() - 3_600_000;
        sqlx::query(
            "INSERT INTO feed (seq, kind, caller, first_ms, last_ms, count, detail)
             SELECT COALESCE(MAX(seq), 0) + 1, $1, '', $2, $2, 1, $3 FROM feed
             HAVING NOT EXISTS
                 (SELECT 1 FROM feed WHERE kind = $1 AND detail = $3 AND last_ms > $4)",
        )
        .bind(kind.to_owned())
        .bind(at.as_millisecond())
        .bind(detail.to_owned())
        .bind(hour_ago)
        .execute(self.db.writer())
        .await?;
        Ok(())
    }

    /// Alarms after `after`, oldest first, that rang last at or after `since`; at most 1,000.
    pub async fn feed(&self, after: u64, since: Timestamp) -> Result<Vec<FeedAlarm>, StoreError> {
        let rows = sqlx::query(
            "SELECT seq, kind, caller, first_ms, last_ms, count, detail
             FROM feed WHERE seq > $1 AND last_ms >= $2 ORDER BY seq LIMIT 1000",
        )
        .bind(after.cast_signed())
        .bind(since.as_millisecond())
        .fetch_all(self.db.reader())
        .await?;
        rows.iter()
            .map(|row| {
                let caller: String = row.try_get(2)?;
                let caller = (!caller.is_empty()).then(|| caller.parse()).transpose();
                Ok(FeedAlarm {
                    seq: row.try_get::<i64, _>(0)?.cast_unsigned(),
                    kind: row.try_get(1)?,
                    caller: caller.map_err(corrupt)?,
                    first: instant(row.try_get(3)?)?,
                    last: instant(row.try_get(4)?)?,
                    count: row.try_get::<i64, _>(5)?.cast_unsigned(),
                    detail: row.try_get(6)?,
                })
            })
            .collect()
    }
}
