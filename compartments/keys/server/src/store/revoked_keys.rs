//! Revoked keys of certificates.

use std::collections::BTreeMap;

use cofferdam_core::{CallerName, Sha256};
use cofferdam_store::{Db, StoreError};

/// Every revoked key, and the caller whose it was.
pub async fn revoked_keys(db: &Db) -> Result<BTreeMap<Sha256, CallerName>, StoreError> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT key_sha256, caller FROM revoked_key").fetch_all(db.reader()).await?;
    let parse = |(key, caller): (String, String)| {
        let corrupt = |e: &dyn std::error::Error| StoreError::Corrupt(format!("revoked key: {e}"));
        Ok((key.parse().map_err(|e| corrupt(&e))?, caller.parse().map_err(|e| corrupt(&e))?))
    };
    rows.into_iter().map(parse).collect()
}

/// Revokes a key.
pub async fn revoke_key(db: &Db, key: Sha256, caller: &CallerName) -> Result<(), StoreError> {
    let statement = "INSERT INTO revoked_key (key_sha256, caller) VALUES ($1, $2) \
                     ON CONFLICT (key_sha256) DO NOTHING";
    let mut change = db.begin_shared_change().await?;
    let query = sqlx::query(statement).bind(key.to_string()).bind(caller.as_str().to_owned());
    query.execute(&mut *change.tx).await?;
    change.commit().await?;
    Ok(())
}
