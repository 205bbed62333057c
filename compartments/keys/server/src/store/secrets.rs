//! Sealed secrets.

use std::collections::BTreeMap;

use cofferdam_store::{Db, StoreError};
use sqlx::FromRow;

use super::Tx;

#[derive(FromRow)]
struct SecretRow {
    name: String,
    sealed: Vec<u8>,
}

/// Every sealed secret, by name.
pub async fn secrets(db: &Db) -> Result<BTreeMap<String, Vec<u8>>, StoreError> {
    let rows: Vec<SecretRow> =
        sqlx::query_as("SELECT name, sealed FROM secret").fetch_all(db.reader()).await?;
    Ok(rows.into_iter().map(|row| (row.name, row.sealed)).collect())
}

/// Adds secrets; `false`, and nothing is added, if one of the names is taken.
pub async fn insert_secrets(db: &Db, new: &[(String, Vec<u8>)]) -> Result<bool, StoreError> {
    let mut change = db.begin_shared_change().await?;
    if !add_secrets(&mut change.tx, new).await? {
        return Ok(false);
    }
    change.commit().await?;
    Ok(true)
}

/// Adds secrets in a transaction; `false` if one of the names is taken, and the transaction must
/// not be committed then.
pub async fn add_secrets(tx: &mut Tx, new: &[(String, Vec<u8>)]) -> Result<bool, StoreError> {
    for (name, sealed) in new {
        let added = sqlx::query(
            "INSERT INTO secret (name, sealed) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
        )
        .bind(name.clone())
        .bind(sealed.clone())
        .execute(&mut **tx)
        .await?;
        if added.rows_affected() == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Destroys a secret.
pub async fn delete_secret(db: &Db, name: &str) -> Result<(), StoreError> {
    let mut change = db.begin_shared_change().await?;
    sqlx::query("DELETE FROM secret WHERE name = $1")
        .bind(name.to_owned())
        .execute(&mut *change.tx)
        .await?;
    change.commit().await?;
    Ok(())
}
