//! Which record numbers were reserved.

use cofferdam_core::Record;
use cofferdam_store::StoreError;

use super::{Store, record_of};

impl Store {
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
