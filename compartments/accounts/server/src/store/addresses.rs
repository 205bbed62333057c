//! The look-up indexes of e-mail addresses, with the customer of each.

use std::collections::BTreeMap;

use cofferdam_core::Record;
use cofferdam_store::StoreError;
use keys_client::AtRest;
use sqlx::Row;

use super::resting::{MovedAtRest, half_number};
use super::{NewCustomer, Store, Tx, record_of, rows};

/// A look-up index, encrypted or bare, as the table holds it.
pub type IndexAtRest = Vec<u8>;

impl Store {
    /// Finds the customers with these indexes. An index without a customer is left out.
    pub async fn find_all(
        &self,
        indexes: &[IndexAtRest],
    ) -> Result<BTreeMap<IndexAtRest, Record>, StoreError> {
        let mut found = BTreeMap::new();
        for chunk in indexes.chunks(1_000) {
            let head = "SELECT email_index, record FROM addresses WHERE email_index";
            let Some((sql, keys)) = rows::look_up(head, chunk) else { continue };
            let query = keys.iter().fold(sqlx::query(sql), |q, key| q.bind(key.as_slice()));
            for row in query.fetch_all(self.db.reader()).await? {
                found.insert(row.try_get("email_index")?, record_of(row.try_get("record")?)?);
            }
        }
        Ok(found)
    }
}

/// Moves indexes. An index that is no longer there, because its customer was erased, stays away. Rows
/// are replaced and not updated: the index distributes the table.
pub(super) async fn move_all(tx: &mut Tx, moves: &[&MovedAtRest]) -> Result<(), StoreError> {
    for chunk in moves.chunks(rows::CHUNK) {
        let old: Vec<_> = chunk.iter().map(|of| of.old.bytes.as_slice()).collect();
        let Some((sql, keys)) = rows::delete("addresses", "email_index", &old) else { continue };
        let query = keys.iter().fold(sqlx::query_scalar(sql), |q, key| q.bind(*key));
        let gone: Vec<Vec<u8>> = query.fetch_all(&mut **tx).await?;
        let there: Vec<_> = chunk.iter().filter(|of| gone.contains(&of.old.bytes)).collect();
        insert_rows(tx, &there, |of| (&of.new, of.record)).await?;
    }
    Ok(())
}

pub(super) async fn insert(tx: &mut Tx, customers: &[NewCustomer]) -> Result<(), StoreError> {
    insert_rows(tx, customers, |of| (&of.email_index, of.record)).await
}

async fn insert_rows<T>(
    tx: &mut Tx,
    all: &[T],
    row: impl Fn(&T) -> (&AtRest, Record),
) -> Result<(), StoreError> {
    let head = "INSERT INTO addresses (email_index, record, half)";
    rows::insert(tx, head, 3, all, |query, of| {
        let (index, record) = row(of);
        let query = query.bind(index.bytes.as_slice()).bind(i64::from(record.0));
        query.bind(half_number(index))
    })
    .await
}
