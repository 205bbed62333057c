//! How far each log was looked through for decoys.

use cofferdam_store::{Db, StoreError};
use sqlx::Row;

/// Up to which entry.
pub async fn watched_upto(db: &Db, origin: &str) -> Result<u64, StoreError> {
    let row = sqlx::query("SELECT upto FROM log_watch WHERE origin = $1")
        .bind(origin.to_owned())
        .fetch_optional(db.reader())
        .await?;
    row.map_or(Ok(0), |row| Ok(row.try_get::<i64, _>(0)?.cast_unsigned()))
}

/// Notes that entries before `upto` were looked at, and have rung.
pub async fn set_watched(db: &Db, origin: &str, upto: u64) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO log_watch (origin, upto) VALUES ($1, $2)
         ON CONFLICT (origin) DO UPDATE SET upto = excluded.upto",
    )
    .bind(origin.to_owned())
    .bind(upto.cast_signed())
    .execute(db.writer())
    .await?;
    Ok(())
}
