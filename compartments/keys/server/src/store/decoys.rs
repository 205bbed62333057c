//! Which decoys were named, and which of them wait for their first password.

use std::collections::HashSet;

use cofferdam_core::{Domain, Record};
use cofferdam_store::{Db, StoreError};
use sqlx::Row;

/// Notes that decoys below `upto` are named, and which of them are to be filled; `false`, and
/// nothing noted, when some of the range was named before.
pub async fn claim(
    db: &Db,
    domain: Domain,
    from: Record,
    upto: u64,
    decoys: &[Record],
) -> Result<bool, StoreError> {
    let mut tx = db.begin().await?;
    sqlx::query(
        "INSERT INTO decoy_claim (domain, upto) VALUES ($1, 0) ON CONFLICT (domain) DO NOTHING",
    )
    .bind(domain.as_str())
    .execute(&mut *tx)
    .await?;
    let moved = sqlx::query("UPDATE decoy_claim SET upto = $1 WHERE domain = $2 AND upto <= $3")
        .bind(upto.cast_signed())
        .bind(domain.as_str())
        .bind(i64::from(from.0))
        .execute(&mut *tx)
        .await?;
    if moved.rows_affected() == 0 {
        return Ok(false);
    }
    for decoy in decoys {
        sqlx::query("INSERT INTO decoy_unfilled (record) VALUES ($1)")
            .bind(i64::from(decoy.0))
            .execute(&mut *tx)
            .await?;
    }
    tx.commit().await?;
    Ok(true)
}

/// Decoys that wait for their first password.
pub async fn unfilled(db: &Db) -> Result<HashSet<Record>, StoreError> {
    let rows = sqlx::query("SELECT record FROM decoy_unfilled").fetch_all(db.reader()).await?;
    rows.iter()
        .map(|row| {
            let record = row.try_get::<i64, _>(0)?;
            u32::try_from(record)
                .map(Record)
                .map_err(|_| StoreError::Corrupt(format!("decoy {record}")))
        })
        .collect()
}

/// Notes that a decoy has had its first password.
pub async fn filled(db: &Db, decoy: Record) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM decoy_unfilled WHERE record = $1")
        .bind(i64::from(decoy.0))
        .execute(db.writer())
        .await?;
    Ok(())
}
