//! The times in which records may be re-sealed.

use std::collections::BTreeMap;

use cofferdam_core::{Domain, Timestamp};
use cofferdam_store::{Db, StoreError};
use sqlx::FromRow;

use super::domain_of;
use super::secrets::add_secrets;

#[derive(FromRow)]
struct ResealRow {
    domain: String,
    until_ms: i64,
}

/// The last instant at which each domain's records may be re-sealed.
pub async fn reseal_windows(db: &Db) -> Result<BTreeMap<Domain, Timestamp>, StoreError> {
    let rows: Vec<ResealRow> =
        sqlx::query_as("SELECT domain, until_ms FROM reseal").fetch_all(db.reader()).await?;
    let window = |row: ResealRow| {
        let until = Timestamp::from_millisecond(row.until_ms);
        let until = until.map_err(|e| StoreError::Corrupt(format!("reseal: {e}")))?;
        Ok((domain_of(&row.domain)?, until))
    };
    rows.into_iter().map(window).collect()
}

/// Keeps a new epoch's master key and opens the time for re-sealing records, both or neither;
/// `false` if the epoch exists.
pub async fn start_epoch(
    db: &Db,
    name: String,
    sealed: Vec<u8>,
    domain: Domain,
    until: Timestamp,
) -> Result<bool, StoreError> {
    let mut change = db.begin_shared_change().await?;
    if !add_secrets(&mut change.tx, &[(name, sealed)]).await? {
        return Ok(false);
    }
    sqlx::query(
        "INSERT INTO reseal (domain, until_ms) VALUES ($1, $2)
         ON CONFLICT (domain) DO UPDATE SET until_ms = excluded.until_ms",
    )
    .bind(domain.as_str())
    .bind(until.as_millisecond())
    .execute(&mut *change.tx)
    .await?;
    change.commit().await?;
    Ok(true)
}
