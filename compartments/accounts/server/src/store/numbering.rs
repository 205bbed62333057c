//! The record numbers that were reserved, and the key of customer numbers.

use cofferdam_core::{KeyBytes, Record, Rng};
use cofferdam_store::StoreError;

use super::{Store, bytes_of, record_of};

/// The only row of each table.
const ONLY_ROW: i64 = 1;

impl Store {
    /// The number of record numbers that were reserved so far.
    pub async fn reserved(&self) -> Result<u64, StoreError> {
        let next: i64 = sqlx::query_scalar("SELECT next_unreserved FROM numbering WHERE id = $1")
            .bind(ONLY_ROW)
            .fetch_one(self.db.reader())
            .await?;
        Ok(next.unsigned_abs())
    }

    /// The number behind the last record number of a customer; 0 if there is none.
    pub async fn numbers_held(&self) -> Result<u32, StoreError> {
        let next: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(record) + 1, 0) FROM customers")
            .fetch_one(self.db.reader())
            .await?;
        Ok(record_of(next)?.0)
    }

    /// Counts the numbers below `given` as reserved: an earlier state gave them out.
    pub async fn skip_numbers(&self, given: u32) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE numbering SET next_unreserved = $1 WHERE id = $2 AND next_unreserved < $1",
        )
        .bind(i64::from(given))
        .bind(ONLY_ROW)
        .execute(self.db.writer())
        .await?;
        Ok(())
    }

    /// Reserves the next `count` numbers for good and returns the first; `None` if fewer are left.
    pub async fn reserve(&self, count: u32) -> Result<Option<Record>, StoreError> {
        const RESERVE: &str = "UPDATE numbering SET next_unreserved = next_unreserved + $1 \
             WHERE id = $3 AND next_unreserved + $1 < $2 RETURNING next_unreserved";
        let next: Option<i64> = sqlx::query_scalar(RESERVE)
            .bind(i64::from(count))
            .bind(i64::from(Record::NOBODY.0))
            .bind(ONLY_ROW)
            .fetch_optional(self.db.writer())
            .await?;
        next.map(|next| record_of(next - i64::from(count))).transpose()
    }

    /// The key of customer numbers, drawn at the first start of a new database; `None` if callers know
    /// customers by their record numbers. All instances get the key of the first.
    pub async fn number_key(&self, rng: &dyn Rng) -> Result<Option<KeyBytes>, StoreError> {
        const DRAW: &str = "INSERT INTO customer_numbers (id, number_key) VALUES ($1, $2) \
             ON CONFLICT (id) DO NOTHING";
        let drawn = KeyBytes::new(rng.bytes());
        sqlx::query(DRAW)
            .bind(ONLY_ROW)
            .bind(drawn.expose().as_slice())
            .execute(self.db.writer())
            .await?;
        let key: Option<Vec<u8>> =
            sqlx::query_scalar("SELECT number_key FROM customer_numbers WHERE id = $1")
                .bind(ONLY_ROW)
                .fetch_one(self.db.writer())
                .await?;
        key.map(|key| bytes_of(key).map(KeyBytes::new)).transpose()
    }
}
