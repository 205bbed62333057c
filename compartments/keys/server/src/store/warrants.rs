//! Opened warrants, and the records that were drawn under each.

use cofferdam_store::{Db, StoreError};
use keys_api::{ApproverKey, Signature, Signed, Warrant, WarrantId};
use roaring::RoaringBitmap;
use serde::Deserialize;
use sqlx::FromRow;

use super::record_sets;
use crate::domain::warrants::Terms;

/// The states in the column `closed`.
const OPEN: i64 = 0;
const CLOSED: i64 = 1;

#[derive(FromRow)]
struct WarrantRow {
    signed: String,
    closed: i64,
}

/// A stored warrant, of this or an earlier version of the order.
#[derive(Deserialize)]
struct Stored {
    order: Terms,
    signatures: Vec<Signature>,
}

impl Stored {
    fn read(signed: &str) -> Result<Self, StoreError> {
        serde_json::from_str(signed).map_err(|e| StoreError::Corrupt(format!("warrant: {e}")))
    }

    /// Whether all who signed are still approvers. Of an earlier version of the order only the
    /// names are compared, because the bytes that were signed can't be made again.
    fn is_signed(&self, signed: &str, approvers: &[ApproverKey]) -> bool {
        let is_named = |of: &Signature| approvers.iter().any(|known| known.name == of.approver);
        match serde_json::from_str::<Signed<Warrant>>(signed) {
            Ok(signed) => signed.verify(approvers).is_ok(),
            Err(_) => self.signatures.iter().all(is_named),
        }
    }
}

/// The name of the set of records that were drawn under a warrant.
fn drawn_set(id: WarrantId) -> String {
    format!("warrant/{id}")
}

/// The terms of every warrant, and whether it is closed: it was ended, or somebody who signed it is
/// no approver any more.
pub async fn warrants(
    db: &Db,
    approvers: &[ApproverKey],
) -> Result<Vec<(Terms, bool)>, StoreError> {
    let rows: Vec<WarrantRow> =
        sqlx::query_as("SELECT signed, closed FROM warrant").fetch_all(db.reader()).await?;
    let read = |row: WarrantRow| {
        let stored = Stored::read(&row.signed)?;
        let closed = row.closed == CLOSED || !stored.is_signed(&row.signed, approvers);
        Ok((stored.order, closed))
    };
    rows.into_iter().map(read).collect()
}

/// Keeps an opened warrant; `false` if its number was opened before.
pub async fn insert_warrant(db: &Db, warrant: &Signed<Warrant>) -> Result<bool, StoreError> {
    let signed =
        serde_json::to_string(warrant).map_err(|e| StoreError::Corrupt(format!("warrant: {e}")))?;
    let id = warrant.order.id;
    let mut change = db.begin_shared_change().await?;
    let added = sqlx::query(
        "INSERT INTO warrant (id, signed, closed) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING",
    )
    .bind(id.to_string())
    .bind(signed)
    .bind(OPEN)
    .execute(&mut *change.tx)
    .await?;
    // Records may have been drawn before an older database was restored. The log knows them.
    let drawn = record_sets::count(&mut change.tx, &drawn_set(id)).await?;
    if drawn > 0 && added.rows_affected() == 1 {
        sqlx::query("UPDATE warrant SET drawn = $1 WHERE id = $2")
            .bind(drawn.cast_signed())
            .bind(id.to_string())
            .execute(&mut *change.tx)
            .await?;
    }
    change.commit().await?;
    Ok(added.rows_affected() == 1)
}

/// Marks a warrant as closed; `false` if there is none with this number.
pub async fn close_warrant(db: &Db, id: WarrantId) -> Result<bool, StoreError> {
    let mut change = db.begin_shared_change().await?;
    let closed = sqlx::query("UPDATE warrant SET closed = $1 WHERE id = $2")
        .bind(CLOSED)
        .bind(id.to_string())
        .execute(&mut *change.tx)
        .await?;
    change.commit().await?;
    Ok(closed.rows_affected() == 1)
}

/// Draws records and decoys under a warrant that covers `limit` of them, all or none: `None` if they are
/// too many, or the warrant is closed. One that was drawn before costs nothing, so that an interrupted
/// mailing can resume. Returns the number of decoys that were drawn before. Instances that share the
/// database share the count.
pub async fn draw(
    db: &Db,
    id: WarrantId,
    limit: u64,
    records: &RoaringBitmap,
    decoys: &RoaringBitmap,
) -> Result<Option<u64>, StoreError> {
    let mut tx = db.begin().await?;
    // The update locks the row, so that draws on one warrant wait for each other.
    let open = sqlx::query("UPDATE warrant SET closed = closed WHERE id = $1 AND closed = $2")
        .bind(id.to_string())
        .bind(OPEN)
        .execute(&mut *tx)
        .await?;
    if open.rows_affected() == 0 {
        return Ok(None);
    }
    let new_decoys = record_sets::add(&mut tx, &drawn_set(id), decoys).await?;
    let new = new_decoys + record_sets::add(&mut tx, &drawn_set(id), records).await?;
    let drawn =
        sqlx::query("UPDATE warrant SET drawn = drawn + $1 WHERE id = $2 AND drawn + $1 <= $3")
            .bind(new.cast_signed())
            .bind(id.to_string())
            .bind(limit.cast_signed())
            .execute(&mut *tx)
            .await?;
    if drawn.rows_affected() == 0 {
        return Ok(None);
    }
    tx.commit().await?;
    Ok(Some(decoys.len() - new_decoys))
}

/// Notes records that were drawn by the log's entries. If the warrant is not open here, the records
/// are kept for it, because it may be handed in again and then continues from there.
pub async fn redraw(db: &Db, id: WarrantId, records: &RoaringBitmap) -> Result<(), StoreError> {
    let no_limit = i64::MAX.cast_unsigned();
    if draw(db, id, no_limit, records, &RoaringBitmap::new()).await?.is_none() {
        record_sets::add_to_set(db, &drawn_set(id), records).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use cofferdam_core::{Domain, Field, FieldSet};

    use super::*;

    /// A warrant as version 0.1 stored it, with a purpose in words.
    const OLD: &str = r#"{"order":{"id":"430982b7477d2b35b1089781d38edf88","incident":1,
        "purpose":"letter 2 to customers, version 9e135aa6","caller":"response-1",
        "domain":"accounts","fields":["name","email"],"records":140,
        "from":"2026-11-28T15:47:54.668383558Z","until":"2026-12-05T15:47:54.668383558Z"},
        "signatures":[{"approver":"ann","signature":"YUWy"}]}"#;

    #[test]
    fn a_warrant_of_an_older_version_still_holds() {
        let stored = Stored::read(OLD).unwrap();
        let [ann, bob] = ["ann", "bob"]
            .map(|name| ApproverKey { name: name.to_owned(), public_key: String::new() });
        assert!(stored.is_signed(OLD, &[bob.clone(), ann]));
        assert!(!stored.is_signed(OLD, &[bob]), "ann is an approver no more");
        let terms = stored.order;
        assert_eq!(terms.id.to_string(), "430982b7477d2b35b1089781d38edf88");
        assert_eq!((terms.caller.as_str(), terms.domain), ("response-1", Domain::Accounts));
        assert_eq!(terms.fields, FieldSet::EMPTY.with(Field::Name).with(Field::Email));
        assert_eq!(terms.records, 140);
        assert_eq!(terms.from.to_string(), "2026-11-28T15:47:54.668383558Z");
        assert_eq!(terms.until.to_string(), "2026-12-05T15:47:54.668383558Z");
        assert!(Stored::read("{}").is_err());
    }
}
