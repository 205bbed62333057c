//! The record numbers that were reserved. Every compartment that gives numbers out has the table
//! `numbering` for them. An instance reserves numbers before it uses them, so that no two instances
//! give out the same number.

use cofferdam_core::Record;

use crate::{Db, StoreError};

/// The only row of the table.
const ONLY_ROW: i64 = 1;

impl Db {
    /// The number of record numbers that were reserved so far.
    pub async fn numbers_reserved(&self) -> Result<u32, StoreError> {
        let next: i64 = sqlx::query_scalar("SELECT next_unreserved FROM numbering WHERE id = $1")
            .bind(ONLY_ROW)
            .fetch_one(self.reader())
            .await?;
        number(next)
    }

    /// Counts the numbers below `given` as reserved: an earlier state gave them out.
    pub async fn skip_numbers(&self, given: u32) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE numbering SET next_unreserved = $1 WHERE id = $2 AND next_unreserved < $1",
        )
        .bind(i64::from(given))
        .bind(ONLY_ROW)
        .execute(self.writer())
        .await?;
        Ok(())
    }

    /// Reserves the next `count` numbers for good and returns the first; `None` if fewer are left.
    pub async fn reserve_numbers(&self, count: u32) -> Result<Option<Record>, StoreError> {
        const RESERVE: &str = "UPDATE numbering SET next_unreserved = next_unreserved + $1 \
             WHERE id = $3 AND next_unreserved + $1 <= $2 RETURNING next_unreserved";
        let next: Option<i64> = sqlx::query_scalar(RESERVE)
            .bind(i64::from(count))
            .bind(i64::from(Record::NOBODY.0))
            .bind(ONLY_ROW)
            .fetch_optional(self.writer())
            .await?;
        next.map(|next| number(next - i64::from(count)).map(Record)).transpose()
    }
}

fn number(stored: i64) -> Result<u32, StoreError> {
    let number = u32::try_from(stored);
    number.map_err(|_| StoreError::Corrupt("a record number above 32 bits".to_owned()))
}
