//! The decoys that were named, and those that wait for their first password. `accounts` sets the
//! first password when it fills the decoy, so it raises no alarm.

use std::collections::BTreeMap;

use cofferdam_core::{Domain, Record};
use cofferdam_store::{Db, StoreError};
use sqlx::FromRow;

use super::domain_of;

#[derive(FromRow)]
struct ClaimRow {
    domain: String,
    upto: i64,
}

/// Notes that the decoys from `from` up to, not including, `upto` are named. `false`, and nothing
/// is noted, if some of the range was named before.
pub async fn claim_decoys(
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

/// Takes a password for the first one of a decoy; `false` if the decoy has one already.
pub async fn take_first_password(db: &Db, decoy: Record) -> Result<bool, StoreError> {
    let deleted = sqlx::query("DELETE FROM decoy_unfilled WHERE record = $1")
        .bind(i64::from(decoy.0))
        .execute(db.writer())
        .await?;
    Ok(deleted.rows_affected() == 1)
}

/// The record number up to which each domain has claimed its decoys: its number of records, to
/// within one claim.
pub async fn claimed_records(db: &Db) -> Result<BTreeMap<Domain, u64>, StoreError> {
    let rows: Vec<ClaimRow> =
        sqlx::query_as("SELECT domain, upto FROM decoy_claim").fetch_all(db.reader()).await?;
    let claim = |row: ClaimRow| Ok((domain_of(&row.domain)?, row.upto.cast_unsigned()));
    rows.into_iter().map(claim).collect()
}
