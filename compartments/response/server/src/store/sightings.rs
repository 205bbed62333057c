//! The sizes that each release log was seen to have, by our clock.

use cofferdam_core::Timestamp;
use cofferdam_store::StoreError;
use response_api::{Sighting, Sightings};
use response_exposure::{SIGHTING_MARGIN_MS, Window};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::Store;
use super::rows::{instant, sql};

/// The age past which one sighting a minute is kept, in milliseconds: eight days.
const THIN_AFTER_MS: i64 = 8 * 86_400_000;
/// The distance of sightings that are kept then, in milliseconds.
const THINNED_MS: i64 = 60_000;
/// Every size up to this one was seen before an instant. If our own clock was set back, a larger size
/// may have an earlier instant, and proves nothing.
const BEFORE: &str = "first_ms < $2 AND NOT EXISTS (SELECT 1 FROM sighting AS other
     WHERE other.log = $1 AND other.size < sighting.size AND other.first_ms >= $2)";
/// Every size from this one on was seen after an instant.
const AFTER: &str = "last_ms > $2 AND NOT EXISTS (SELECT 1 FROM sighting AS other
     WHERE other.log = $1 AND other.size > sighting.size AND other.last_ms <= $2)";

impl Store {
    /// Adds a sighting of a log. Of several of one size, the earliest and the latest instant count.
    pub async fn add_sighting(&self, log: &str, seen: &Sighting) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query(
            "INSERT INTO sighting (log, size, first_ms, last_ms) VALUES ($1, $2, $3, $4)
             ON CONFLICT (log, size) DO UPDATE SET
                 first_ms = CASE WHEN excluded.first_ms < sighting.first_ms
                     THEN excluded.first_ms ELSE sighting.first_ms END,
                 last_ms = CASE WHEN excluded.last_ms > sighting.last_ms
                     THEN excluded.last_ms ELSE sighting.last_ms END",
        )
        .bind(log.to_owned())
        .bind(seen.size.cast_signed())
        .bind(seen.first.as_millisecond())
        .bind(seen.last.as_millisecond())
        .execute(&mut *tx.tx)
        .await?;
        tx.commit().await
    }

    /// Reads the sightings of a log that decide about a window.
    pub async fn sightings(&self, log: &str, window: Window) -> Result<Sightings, StoreError> {
        let one = async |condition: &str, edge: i64, order: &str| {
            let text = format!(
                "SELECT size, first_ms, last_ms FROM sighting
                 WHERE log = $1 AND {condition} ORDER BY size {order} LIMIT 1"
            );
            let row = sqlx::query(sql(text)).bind(log.to_owned()).bind(edge);
            row.fetch_optional(self.db.reader()).await?.as_ref().map(sighting).transpose()
        };
        let before = window.from_ms.saturating_sub(SIGHTING_MARGIN_MS);
        let after = window.to_ms.saturating_add(SIGHTING_MARGIN_MS);
        Ok::<_, StoreError>(Sightings {
            earliest: one("size >= $2", 0, "ASC").await?,
            before: one(BEFORE, before, "DESC").await?,
            after: one(AFTER, after, "ASC").await?,
        })
    }

    /// Keeps one sighting a minute of those that are old, and the first of all.
    pub async fn thin_sightings(&self, log: &str, now: Timestamp) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        let done = sqlx::query(
            "DELETE FROM sighting WHERE log = $1 AND first_ms < $2 AND size NOT IN (
                 SELECT MIN(size) FROM sighting WHERE log = $1 AND first_ms < $2
                 GROUP BY first_ms / $3)",
        )
        .bind(log.to_owned())
        .bind(now.as_millisecond().saturating_sub(THIN_AFTER_MS))
        .bind(THINNED_MS)
        .execute(&mut *tx.tx)
        .await?;
        tx.commit().await?;
        Ok(done.rows_affected())
    }
}

fn sighting(row: &AnyRow) -> Result<Sighting, StoreError> {
    Ok(Sighting {
        size: row.try_get::<i64, _>("size")?.cast_unsigned(),
        first: instant(row, "first_ms")?,
        last: instant(row, "last_ms")?,
    })
}
