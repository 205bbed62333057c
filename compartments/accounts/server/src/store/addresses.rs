//! The look-up indexes of e-mail addresses, with the customer of each.

use std::collections::BTreeMap;

use cofferdam_core::Record;
use cofferdam_store::StoreError;
use sqlx::Row;

use super::{NewCustomer, Store, Tx, bytes_of, record_of, rows};
use crate::domain::address::EmailIndex;

impl Store {
    /// Finds the customer with an address.
    pub async fn find(&self, index: &EmailIndex) -> Result<Option<Record>, StoreError> {
        Ok(self.find_all(&[*index]).await?.remove(index))
    }

    /// Finds the customers with these addresses. An address without a customer is left out.
    pub async fn find_all(
        &self,
        indexes: &[EmailIndex],
    ) -> Result<BTreeMap<EmailIndex, Record>, StoreError> {
        let mut found = BTreeMap::new();
        for chunk in indexes.chunks(1_000) {
            let head = "SELECT email_index, record FROM addresses WHERE email_index";
            let Some((sql, keys)) = rows::look_up(head, chunk) else { continue };
            let query = keys.iter().fold(sqlx::query(sql), |q, key| q.bind(key.as_slice()));
            for row in query.fetch_all(self.db.reader()).await? {
                let index = bytes_of(row.try_get("email_index")?)?;
                found.insert(index, record_of(row.try_get("record")?)?);
            }
        }
        Ok(found)
    }
}

pub(super) async fn insert(tx: &mut Tx, customers: &[NewCustomer]) -> Result<(), StoreError> {
    let head = "INSERT INTO addresses (email_index, record)";
    rows::insert(tx, head, 2, customers, |query, customer| {
        query.bind(customer.email_index.as_slice()).bind(i64::from(customer.record.0))
    })
    .await
}
