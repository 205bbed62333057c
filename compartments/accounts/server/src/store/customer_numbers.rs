//! The key of customer numbers.

use cofferdam_core::{KeyBytes, Rng};
use cofferdam_store::StoreError;

use super::{Store, bytes_of};

/// The only row of the table.
const ONLY_ROW: i64 = 1;

impl Store {
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
