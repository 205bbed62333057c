//! The bitmaps of everybody's coarse attributes, so that a restart need not ask for all again.

use cofferdam_store::StoreError;
use roaring::RoaringBitmap;
use sqlx::Row;

use super::{Store, bytes_of, corrupt};
use crate::domain::population::Population;

impl Store {
    /// The population as it was kept, and the last change in it.
    pub async fn population(&self) -> Result<Option<(Population, u64)>, StoreError> {
        let end = sqlx::query("SELECT last FROM population_end").fetch_optional(self.db.reader());
        let Some(end) = end.await? else { return Ok(None) };
        let mut people = Population::default();
        let rows = sqlx::query("SELECT name, records FROM population").fetch_all(self.db.reader());
        for row in rows.await? {
            let (name, bytes): (String, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
            let records = RoaringBitmap::deserialize_from(bytes.as_slice()).map_err(corrupt)?;
            if !people.set_part(&name, records) {
                return Err(corrupt(format!("the bitmap {name:?}")));
            }
        }
        Ok(Some((people, end.try_get::<i64, _>(0)?.unsigned_abs())))
    }

    /// Keeps the population, in place of what was kept.
    pub async fn set_population(&self, people: &Population, last: u64) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query("DELETE FROM population").execute(&mut *tx).await?;
        for (name, records) in people.parts() {
            sqlx::query("INSERT INTO population (name, records) VALUES ($1, $2)")
                .bind(name)
                .bind(bytes_of(records)?)
                .execute(&mut *tx)
                .await?;
        }
        sqlx::query(
            "INSERT INTO population_end (id, last) VALUES (1, $1)
             ON CONFLICT (id) DO UPDATE SET last = excluded.last",
        )
        .bind(i64::try_from(last).map_err(corrupt)?)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }
}
