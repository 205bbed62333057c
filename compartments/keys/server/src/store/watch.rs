//! The progress of reading each instance's log for decoys.

use cofferdam_store::{Db, StoreError};

/// The first entry that was not read yet.
pub async fn watched_upto(db: &Db, origin: &str) -> Result<u64, StoreError> {
    let upto: Option<i64> = sqlx::query_scalar("SELECT upto FROM log_watch WHERE origin = $1")
        .bind(origin.to_owned())
        .fetch_optional(db.reader())
        .await?;
    Ok(upto.unwrap_or(0).cast_unsigned())
}

/// Notes that the entries before `upto` were read, and their alarms raised.
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
