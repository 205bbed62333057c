//! Pages of exposures, and other sets of people.

use std::collections::BTreeMap;

use cofferdam_core::Timestamp;
use cofferdam_store::StoreError;
use response_api::IncidentId;
use roaring::RoaringBitmap;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Store, corrupt, people};
use crate::domain::page::Page;

impl Store {
    /// Forgets the pages of an exposure.
    pub async fn clear_pages(&self, incident: IncidentId) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM exposure_page WHERE incident = $1")
            .bind(i64::from(incident.0))
            .execute(self.db.writer())
            .await?;
        Ok(())
    }

    /// Keeps what one segment adds to the pages.
    pub async fn add_pages(
        &self,
        incident: IncidentId,
        segment: u32,
        pages: &BTreeMap<u16, Page>,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        for (page, body) in pages {
            sqlx::query(
                "INSERT INTO exposure_page (incident, page, segment, body) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (incident, page, segment) DO UPDATE SET body = excluded.body",
            )
            .bind(i64::from(incident.0))
            .bind(i64::from(*page))
            .bind(i64::from(segment))
            .bind(body.encode())
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// One page, segment by segment.
    pub async fn pages(&self, incident: IncidentId, page: u16) -> Result<Vec<Page>, StoreError> {
        let rows = sqlx::query(
            "SELECT body FROM exposure_page WHERE incident = $1 AND page = $2 ORDER BY segment",
        )
        .bind(i64::from(incident.0))
        .bind(i64::from(page))
        .fetch_all(self.db.reader())
        .await?;
        let body = |row: &AnyRow| Page::decode(&row.try_get::<Vec<u8>, _>(0)?).map_err(corrupt);
        rows.iter().map(body).collect()
    }

    /// Customers whose letter was refused for good.
    pub async fn undeliverable(&self) -> Result<RoaringBitmap, StoreError> {
        let rows = sqlx::query(
            "SELECT person FROM ledger WHERE state = 5 AND letter IN
             (SELECT letter FROM letter WHERE audience = 'customers')",
        );
        people(rows.fetch(self.db.reader())).await
    }

    /// Customers whose letter the relay may have had from `from` to `to`: all whose first attempt may
    /// be before `to` and whose last is after `from`, and what a worker holds.
    pub async fn handed_over(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<RoaringBitmap, StoreError> {
        // By LedgerState::code: accepted, in doubt, deferred, bounced, complained, expired.
        let rows = sqlx::query(
            "SELECT person FROM ledger l WHERE letter IN
                 (SELECT letter FROM letter WHERE audience = 'customers' AND started_ms <= $2)
             AND ((tried_ms > 0 AND tried_ms <= $2 AND at_ms >= $1)
               OR (state IN (2, 3, 4, 5, 6, 8) AND at_ms >= $1 AND at_ms <= $2)
               OR (state IN (0, 4) AND EXISTS (SELECT 1 FROM ledger_batch b
                   WHERE b.letter = l.letter AND b.batch = l.batch AND b.holder <> '')))",
        )
        .bind(from.as_millisecond())
        .bind(to.as_millisecond());
        people(rows.fetch(self.db.reader())).await
    }
}
