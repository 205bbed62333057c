//! Windows in which records may be re-sealed.

use std::collections::BTreeMap;

use cofferdam_core::{Domain, Timestamp};
use cofferdam_store::{Db, StoreError};
use sqlx::Row;

use super::changed;
use super::secrets::add_secrets;

/// Until when each domain's records may be re-sealed.
pub async fn reseal_windows(db: &Db) -> Result<BTreeMap<Domain, Timestamp>, StoreError> {
    let rows = sqlx::query("SELECT domain, until_ms FROM reseal").fetch_all(db.reader()).await?;
    let corrupt = |what: &str| StoreError::Corrupt(format!("reseal: {what}"));
    rows.iter()
        .map(|row| {
            let (name, until): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
            let domain = Domain::ALL.into_iter().find(|domain| domain.as_str() == name);
            let until = Timestamp::from_millisecond(until).map_err(|e| corrupt(&e.to_string()))?;
            Ok((domain.ok_or_else(|| corrupt(&name))?, until))
        })
        .collect()
}

/// Keeps a new epoch's master key and opens the window in which records may be re-sealed, both or
/// neither; `false` when there is such an epoch.
pub async fn start_epoch(
    db: &Db,
    name: String,
    sealed: Vec<u8>,
    domain: Domain,
    until: Timestamp,
) -> Result<bool, StoreError> {
    let mut tx = db.begin().await?;
    if !add_secrets(&mut tx, &[(name, sealed)]).await? {
        return Ok(false);
    }
    sqlx::query(
        "INSERT INTO reseal (domain, until_ms) VALUES ($1, $2)
         ON CONFLICT (domain) DO UPDATE SET until_ms = excluded.until_ms",
    )
    .bind(domain.as_str())
    .bind(until.as_millisecond())
    .execute(&mut *tx)
    .await?;
    changed(&mut tx).await?;
    tx.commit().await?;
    Ok(true)
}
