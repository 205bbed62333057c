//! The record numbers that were reserved.

use cofferdam_core::Record;
use cofferdam_store::StoreError;

use super::{Store, record_of};

/// The only row of the table.
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
}
