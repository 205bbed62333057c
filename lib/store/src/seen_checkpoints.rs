//! The highest checkpoint of each release log that a compartment has seen. Every compartment that
//! asks `keys` about its state has the table `seen_checkpoint` for them.

use cofferdam_core::{SeenCheckpoint, Timestamp};
use sqlx::FromRow;

use crate::{Db, StoreError};

#[derive(FromRow)]
struct Row {
    log: String,
    log_key: String,
    size: i64,
    note: String,
    seen_ms: i64,
}

impl Db {
    /// The highest checkpoint of each log.
    pub async fn seen_checkpoints(&self) -> Result<Vec<SeenCheckpoint>, StoreError> {
        const ALL: &str =
            "SELECT log, log_key, size, note, seen_ms FROM seen_checkpoint ORDER BY log";
        let rows: Vec<Row> = sqlx::query_as(ALL).fetch_all(self.reader()).await?;
        let read = |Row { log, log_key, size, note, seen_ms }: Row| {
            let outside = |_| StoreError::Corrupt(format!("checkpoint of {log}: its instant"));
            let seen = Timestamp::from_millisecond(seen_ms).map_err(outside)?;
            Ok(SeenCheckpoint { log, log_key, size: size.cast_unsigned(), note, seen })
        };
        rows.into_iter().map(read).collect()
    }

    /// Keeps a checkpoint. One that is not higher changes nothing, because instances of the
    /// compartment share the table.
    pub async fn keep_checkpoint(&self, of: &SeenCheckpoint) -> Result<(), StoreError> {
        const KEEP: &str = "INSERT INTO seen_checkpoint (log, log_key, size, note, seen_ms)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (log) DO UPDATE
             SET size = excluded.size, note = excluded.note, seen_ms = excluded.seen_ms
             WHERE excluded.size > seen_checkpoint.size
                 AND excluded.log_key = seen_checkpoint.log_key";
        sqlx::query(KEEP)
            .bind(of.log.clone())
            .bind(of.log_key.clone())
            .bind(of.size.cast_signed())
            .bind(of.note.clone())
            .bind(of.seen.as_millisecond())
            .execute(self.writer())
            .await?;
        Ok(())
    }
}
