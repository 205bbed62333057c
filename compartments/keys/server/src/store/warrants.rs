//! Warrants that were opened.

use cofferdam_store::{Db, StoreError};
use keys_api::{SignedWarrant, WarrantId};
use sqlx::Row;

/// Every warrant, and whether it was closed.
pub async fn warrants(db: &Db) -> Result<Vec<(SignedWarrant, bool)>, StoreError> {
    let rows = sqlx::query("SELECT signed, closed FROM warrant").fetch_all(db.reader()).await?;
    rows.iter()
        .map(|row| {
            let signed: String = row.try_get(0)?;
            let signed = serde_json::from_str(&signed)
                .map_err(|e| StoreError::Corrupt(format!("warrant: {e}")))?;
            Ok((signed, row.try_get::<i64, _>(1)? != 0))
        })
        .collect()
}

/// Keeps an opened warrant.
pub async fn insert_warrant(db: &Db, warrant: &SignedWarrant) -> Result<(), StoreError> {
    let signed =
        serde_json::to_string(warrant).map_err(|e| StoreError::Corrupt(format!("warrant: {e}")))?;
    sqlx::query("INSERT INTO warrant (id, signed, closed) VALUES ($1, $2, 0)")
        .bind(warrant.warrant.id.to_string())
        .bind(signed)
        .execute(db.writer())
        .await?;
    Ok(())
}

/// Marks a warrant as closed.
pub async fn close_warrant(db: &Db, id: WarrantId) -> Result<(), StoreError> {
    sqlx::query("UPDATE warrant SET closed = 1 WHERE id = $1")
        .bind(id.to_string())
        .execute(db.writer())
        .await?;
    Ok(())
}
