//! Who has which e-mail address.

use std::collections::HashMap;

use cofferdam_core::Record;
use cofferdam_store::StoreError;
use sqlx::Row;

use super::{NewCustomer, Store, Tx, bytes_of, record_of, rows};

/// The look-up index of an e-mail address, made by `keys`.
pub type EmailIndex = [u8; 32];

impl Store {
    /// Whose the address is.
    pub async fn find(&self, index: &EmailIndex) -> Result<Option<Record>, StoreError> {
        Ok(self.find_all(&[*index]).await?.remove(index))
    }

    /// Whose the addresses are, as far as they are somebody's.
    pub async fn find_all(
        &self,
        indexes: &[EmailIndex],
    ) -> Result<HashMap<EmailIndex, Record>, StoreError> {
        let mut found = HashMap::new();
        for chunk in indexes.chunks(1_000) {
            let head = "SELECT email_index, record FROM addresses WHERE email_index";
            let Some((sql, keys)) = rows::look_up(head, chunk) else { continue };
            let query = keys.iter().fold(sqlx::query(sql), |q, key| q.bind(key.as_slice()));
            for row in query.fetch_all(self.db.reader()).await? {
                found.insert(bytes_of(row.try_get(0)?)?, record_of(row.try_get(1)?)?);
            }
        }
        Ok(found)
    }
}

pub(super) async fn insert(tx: &mut Tx, customers: &[NewCustomer]) -> Result<(), StoreError> {
    let head = "INSERT INTO addresses (email_index, record)";
    rows::insert(tx, head, 2, customers, |q, c| {
        q.bind(c.email_index.as_slice()).bind(i64::from(c.record.0))
    })
    .await
}
