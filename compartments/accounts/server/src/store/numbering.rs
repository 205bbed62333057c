//! Which record numbers were reserved.

use cofferdam_core::Record;
use cofferdam_store::StoreError;

use super::{Store, record_of};

impl Store {
    /// How many numbers were reserved so far.
    pub async fn reserved(&self) -> Result<u64, StoreError> {
        const READ: &str = "SELECT next_unreserved FROM numbering WHERE id = 1";
        let (next,): (i64,) = sqlx::query_as(READ).fetch_one(self.db.reader()).await?;
        Ok(next.unsigned_abs())
    }

    /// Reserves the next `count` numbers for good and says the first; `None` when there are no
    /// more.
    pub async fn reserve(&self, count: u32) -> Result<Option<Record>, StoreError> {
        const RESERVE: &str = "UPDATE numbering SET next_unreserved = next_unreserved + $1 \
             WHERE id = 1 AND next_unreserved + $1 < $2 RETURNING next_unreserved";
        let row: Option<(i64,)> = sqlx::query_as(RESERVE)
            .bind(i64::from(count))
            .bind(i64::from(Record::NOBODY.0))
            .fetch_optional(self.db.writer())
            .await?;
        row.map(|(next,)| record_of(next - i64::from(count))).transpose()
    }
}
