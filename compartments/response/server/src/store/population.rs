//! The bitmaps of people's coarse attributes, stored so that a restart need not ask for all of
//! them.

use cofferdam_core::Timestamp;
use cofferdam_store::StoreError;
use response_api::{Audience, LedgerState};
use response_exposure::Population;
use roaring::RoaringBitmap;
use sqlx::Row as _;

use super::rows::{bitmap, bitmap_bytes, corrupt, people, sql};
use super::{Store, Tx};

/// The table of the customers of `accounts`.
const CUSTOMERS: &str = "population";
/// The table of the people of the brought table.
pub const BROUGHT: &str = "brought_population";

impl Store {
    /// Reads the stored customers, and the number of the last change in them.
    pub async fn customers(&self) -> Result<Option<(Population, u64)>, StoreError> {
        let end = sqlx::query("SELECT last FROM population_end").fetch_optional(self.db.reader());
        let Some(end) = end.await? else { return Ok(None) };
        let customers = self.population(CUSTOMERS).await?;
        Ok(Some((customers, end.try_get::<i64, _>("last")?.unsigned_abs())))
    }

    /// Keeps the customers in place of those before.
    pub async fn set_customers(&self, customers: &Population, last: u64) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        tx.set_population(CUSTOMERS, customers).await?;
        sqlx::query(
            "INSERT INTO population_end (id, last) VALUES (1, $1)
             ON CONFLICT (id) DO UPDATE SET last = excluded.last",
        )
        .bind(i64::try_from(last).map_err(corrupt)?)
        .execute(&mut *tx.tx)
        .await?;
        tx.commit().await
    }

    /// Reads the people in one of the two tables of bitmaps.
    pub async fn population(&self, table: &'static str) -> Result<Population, StoreError> {
        let mut population = Population::default();
        let rows = sqlx::query(sql(format!("SELECT name, records FROM {table}")));
        for row in rows.fetch_all(self.db.reader()).await? {
            let name: String = row.try_get("name")?;
            if !population.set_part(&name, bitmap(&row, "records")?) {
                return Err(corrupt(format!("the bitmap {name:?}")));
            }
        }
        Ok(population)
    }

    /// Reads the customers whose letter bounced.
    pub async fn undeliverable(&self) -> Result<RoaringBitmap, StoreError> {
        const BOUNCED: u8 = LedgerState::Bounced.code();
        let rows = sqlx::query(sql(format!(
            "SELECT person FROM ledger WHERE state = {BOUNCED} AND letter IN
             (SELECT letter FROM letter WHERE audience = $1)"
        )));
        let rows = rows.bind(Audience::Customers.as_str());
        people(rows.fetch(self.db.reader())).await
    }

    /// Reads the customers whose letter the relay may have had between `from` and `to`: the first
    /// attempt may lie before `to` and the last one after `from`, or a worker holds the letter.
    pub async fn handed_over(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<RoaringBitmap, StoreError> {
        const PLANNED: u8 = LedgerState::Planned.code();
        const DEFERRED: u8 = LedgerState::Deferred.code();
        const SUPPRESSED: u8 = LedgerState::Suppressed.code();
        let rows = sqlx::query(sql(format!(
            "SELECT person FROM ledger l WHERE letter IN
                 (SELECT letter FROM letter WHERE audience = $3 AND started_ms <= $2)
             AND ((tried_ms > 0 AND tried_ms <= $2 AND at_ms >= $1)
               OR (state NOT IN ({PLANNED}, {SUPPRESSED}) AND at_ms >= $1 AND at_ms <= $2)
               OR (state IN ({PLANNED}, {DEFERRED}) AND EXISTS (SELECT 1 FROM ledger_batch b
                   WHERE b.letter = l.letter AND b.batch = l.batch AND b.holder <> '')))"
        )));
        let rows = rows
            .bind(from.as_millisecond())
            .bind(to.as_millisecond())
            .bind(Audience::Customers.as_str());
        people(rows.fetch(self.db.reader())).await
    }
}

impl Tx {
    pub async fn set_population(
        &mut self,
        table: &'static str,
        population: &Population,
    ) -> Result<(), StoreError> {
        sqlx::query(sql(format!("DELETE FROM {table}"))).execute(&mut *self.tx).await?;
        for (name, records) in population.parts() {
            sqlx::query(sql(format!("INSERT INTO {table} (name, records) VALUES ($1, $2)")))
                .bind(name)
                .bind(bitmap_bytes(records)?)
                .execute(&mut *self.tx)
                .await?;
        }
        Ok(())
    }
}
