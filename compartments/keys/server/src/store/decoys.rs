//! Which decoys were named, and which of them wait for their first password: that one is ours,
//! and no alarm.

use std::collections::BTreeMap;

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

/// Whether a decoy waits for its first password, which this then is.
pub async fn first_password(db: &Db, decoy: Record) -> Result<bool, StoreError> {
    let deleted = sqlx::query("DELETE FROM decoy_unfilled WHERE record = $1")
        .bind(i64::from(decoy.0))
        .execute(db.writer())
        .await?;
    Ok(deleted.rows_affected() == 1)
}

/// Up to which record number each domain has claimed its decoys: how many records it has, within
/// one claim.
pub async fn highest_claims(db: &Db) -> Result<BTreeMap<String, u64>, StoreError> {
    let rows = sqlx::query("SELECT domain, upto FROM decoy_claim").fetch_all(db.reader()).await?;
    rows.iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get::<i64, _>(1)?.cast_unsigned())))
        .collect()
}
