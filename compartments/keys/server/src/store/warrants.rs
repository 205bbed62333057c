//! Warrants that were opened, and which records were drawn under them.

use cofferdam_core::Record;
use cofferdam_store::{Db, StoreError};
use keys_api::{Signed, Warrant, WarrantId};
use sqlx::Row;

use super::{changed, record_sets};

/// Every warrant, and whether it was closed.
pub async fn warrants(db: &Db) -> Result<Vec<(Signed<Warrant>, bool)>, StoreError> {
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

/// Keeps an opened warrant; `false` when its number was opened before.
pub async fn insert_warrant(db: &Db, warrant: &Signed<Warrant>) -> Result<bool, StoreError> {
    let signed =
        serde_json::to_string(warrant).map_err(|e| StoreError::Corrupt(format!("warrant: {e}")))?;
    let mut tx = db.begin().await?;
    let added = sqlx::query(
        "INSERT INTO warrant (id, signed, closed) VALUES ($1, $2, 0) ON CONFLICT (id) DO NOTHING",
    )
    .bind(warrant.order.id.to_string())
    .bind(signed)
    .execute(&mut *tx)
    .await?;
    // What the log knows to have been drawn before an older database was put back.
    let drawn = record_sets::count(&mut tx, &format!("warrant/{}", warrant.order.id)).await?;
    if drawn > 0 && added.rows_affected() == 1 {
        sqlx::query("UPDATE warrant SET drawn = $1 WHERE id = $2")
            .bind(drawn.cast_signed())
            .bind(warrant.order.id.to_string())
            .execute(&mut *tx)
            .await?;
    }
    changed(&mut tx).await?;
    tx.commit().await?;
    Ok(added.rows_affected() == 1)
}

/// Marks a warrant as closed; `false` when there is none.
pub async fn close_warrant(db: &Db, id: WarrantId) -> Result<bool, StoreError> {
    let mut tx = db.begin().await?;
    let closed = sqlx::query("UPDATE warrant SET closed = 1 WHERE id = $1")
        .bind(id.to_string())
        .execute(&mut *tx)
        .await?;
    changed(&mut tx).await?;
    tx.commit().await?;
    Ok(closed.rows_affected() == 1)
}

/// Draws records under a warrant that covers `limit` of them, all or none: `false` when they are
/// too many, or the warrant is closed. A record that was drawn before costs nothing, so that an
/// interrupted mailing can go on. Instances that share the database draw on one count.
pub async fn draw(
    db: &Db,
    id: WarrantId,
    limit: u64,
    records: &[Record],
) -> Result<bool, StoreError> {
    let mut tx = db.begin().await?;
    // Takes the row, so that draws on one warrant wait for each other.
    let open = sqlx::query("UPDATE warrant SET closed = closed WHERE id = $1 AND closed = 0")
        .bind(id.to_string())
        .execute(&mut *tx)
        .await?;
    if open.rows_affected() == 0 {
        return Ok(false);
    }
    let new = record_sets::add(&mut tx, &format!("warrant/{id}"), records).await?;
    let drawn =
        sqlx::query("UPDATE warrant SET drawn = drawn + $1 WHERE id = $2 AND drawn + $1 <= $3")
            .bind(new.cast_signed())
            .bind(id.to_string())
            .bind(limit.cast_signed())
            .execute(&mut *tx)
            .await?;
    if drawn.rows_affected() == 0 {
        return Ok(false);
    }
    tx.commit().await?;
    Ok(true)
}
