//! The look-up indexes of e-mail addresses, with the customer of each.

use std::collections::BTreeMap;

use cofferdam_core::Record;
use cofferdam_store::StoreError;
use keys_client::AtRest;
use sqlx::Row;

use super::{NewCustomer, Store, Tx, epoch_of, record_of, rows};

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

    /// The indexes of customers.
    pub async fn indexes_of(
        &self,
        records: &[Record],
    ) -> Result<Vec<(Record, AtRest)>, StoreError> {
        let mut found = Vec::with_capacity(records.len());
        for chunk in records.chunks(1_000) {
            let head = "SELECT record, email_index, half FROM addresses WHERE record";
            let Some((sql, keys)) = rows::look_up(head, chunk) else { continue };
            let query = keys.iter().fold(sqlx::query(sql), |q, of| q.bind(i64::from(of.0)));
            for row in query.fetch_all(self.db.reader()).await? {
                let half: Option<i64> = row.try_get("half")?;
                let half = half.map(epoch_of).transpose()?;
                let index = AtRest { half, bytes: row.try_get("email_index")? };
                found.push((record_of(row.try_get("record")?)?, index));
            }
        }
        Ok(found)
    }
}

/// An index that moves to another half.
#[derive(Debug)]
pub struct MovedIndex {
    /// The customer.
    pub record: Record,
    /// The index as it was read.
    pub old: AtRest,
    /// The same index under the new half.
    pub new: AtRest,
}

/// Moves indexes. An index that is no longer there, because its customer was erased, stays away. Rows
/// are replaced and not updated: the index distributes the table.
pub(super) async fn move_all(tx: &mut Tx, moves: &[&MovedIndex]) -> Result<(), StoreError> {
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
        let (AtRest { half, bytes }, record) = row(of);
        let half = half.map(|from| i64::from(from.0));
        query.bind(bytes.as_slice()).bind(i64::from(record.0)).bind(half)
    })
    .await
}
