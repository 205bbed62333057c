//! Exposures: the numbers, one bitmap a level and field, and the pages of single people.

use std::collections::BTreeMap;

use cofferdam_core::{Field, Sha256, Timestamp};
use cofferdam_store::StoreError;
use response_api::{Audience, Exposure, Incident, IncidentId, Level};
use response_exposure::{Bitmaps, Levels, Page, most_entries};
use response_mailing::Letter;
use roaring::RoaringBitmap;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::rows::{bitmap, bitmap_bytes, corrupt, parsed};
use super::{Act, Finding, Store, Tx};

impl Store {
    /// Keeps an exposure with its bitmaps in place of the one before, and journals the scope.
    /// `false` if the incident was amended or closed since it was read as `incident`, because the
    /// exposure would then be of other hosts or another window.
    pub async fn set_exposure(
        &self,
        incident: &Incident,
        (exposure, levels): (&Exposure, &Levels),
        act: &Act,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        if !tx.is_unchanged(incident).await? {
            return Ok(false);
        }
        if self.is_planned_untold(exposure.incident).await? {
            let told = self.told(exposure.incident).await?;
            tx.set_finding(exposure.incident, Finding::PlannedTold, &told).await?;
        }
        tx.forget_exposure(exposure.incident).await?;
        for level in Level::ALL {
            for (field, records) in levels.at(level) {
                sqlx::query(
                    "INSERT INTO exposure_bitmap (incident, level, field, records)
                     VALUES ($1, $2, $3, $4)",
                )
                .bind(i64::from(exposure.incident.0))
                .bind(level.as_str())
                .bind(field.as_str())
                .bind(bitmap_bytes(records)?)
                .execute(&mut *tx.tx)
                .await?;
            }
        }
        tx.keep_while_signed_in(exposure.incident, &levels.while_signed_in).await?;
        tx.set_finding(exposure.incident, Finding::Exposure, exposure).await?;
        tx.set_finding(exposure.incident, Finding::Told, &levels.told()).await?;
        let before = self.finding(exposure.incident, Finding::LogSizes).await?;
        let sizes = most_entries(before.unwrap_or_default(), exposure);
        tx.set_finding(exposure.incident, Finding::LogSizes, &sizes).await?;
        tx.journal(act).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Notes that letters to customers are planned from the exposure as it is, unless that was noted
    /// before.
    pub async fn plan_from_exposure(&self, incident: IncidentId) -> Result<(), StoreError> {
        if self.finding::<Sha256>(incident, Finding::PlannedTold).await?.is_some() {
            return Ok(());
        }
        let told = self.told(incident).await?;
        let mut tx = self.begin().await?;
        tx.set_finding(incident, Finding::PlannedTold, &told).await?;
        tx.commit().await
    }

    /// Whether the exposure tells somebody something else than when letters to customers were
    /// planned from it. Ledger rows state the exposure of then.
    pub async fn is_exposed_otherwise(&self, incident: IncidentId) -> Result<bool, StoreError> {
        let planned = self.finding::<Sha256>(incident, Finding::PlannedTold).await?;
        let Some(planned) = planned else { return Ok(false) };
        Ok(self.told(incident).await? != planned)
    }

    /// The [`Levels::told`] of the exposure. Earlier versions did not keep it.
    async fn told(&self, incident: IncidentId) -> Result<Sha256, StoreError> {
        match self.finding(incident, Finding::Told).await? {
            Some(told) => Ok(told),
            None => Ok(self.levels(incident).await?.told()),
        }
    }

    /// Whether an earlier version planned a letter to customers, and did not keep from what.
    async fn is_planned_untold(&self, incident: IncidentId) -> Result<bool, StoreError> {
        let letters = self.letters_about(incident).await?;
        let is_planned = |of: &Letter| of.audience == Audience::Customers && of.planned;
        Ok(letters.iter().any(is_planned)
            && self.finding::<Sha256>(incident, Finding::PlannedTold).await?.is_none())
    }

    /// The bitmaps of an exposure.
    pub async fn levels(&self, incident: IncidentId) -> Result<Levels, StoreError> {
        let mut levels = Levels::default();
        for level in Level::ALL {
            *levels.at_mut(level) = self.bitmaps(incident, level).await?;
        }
        levels.while_signed_in = self.while_signed_in(incident).await?;
        Ok(levels)
    }

    /// The people of whom everything that was read was read while they were signed in. Of an exposure
    /// that an earlier version kept, that is known of nobody.
    pub async fn while_signed_in(&self, incident: IncidentId) -> Result<RoaringBitmap, StoreError> {
        let row = sqlx::query("SELECT records FROM exposure_signed_in WHERE incident = $1")
            .bind(i64::from(incident.0))
            .fetch_optional(self.db.reader())
            .await?;
        row.map_or_else(|| Ok(RoaringBitmap::new()), |row| bitmap(&row, "records"))
    }

    /// The bitmaps of one level, field by field.
    pub async fn bitmaps(&self, incident: IncidentId, level: Level) -> Result<Bitmaps, StoreError> {
        let rows = sqlx::query(
            "SELECT field, records FROM exposure_bitmap WHERE incident = $1 AND level = $2",
        )
        .bind(i64::from(incident.0))
        .bind(level.as_str())
        .fetch_all(self.db.reader())
        .await?;
        let read = |row: &AnyRow| Ok((parsed::<Field>(row, "field")?, bitmap(row, "records")?));
        rows.iter().map(read).collect()
    }

    /// Keeps the part of the pages that one segment of a log gives.
    pub async fn add_pages(
        &self,
        incident: IncidentId,
        segment: u32,
        pages: &BTreeMap<u16, Page>,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        for (number, page) in pages {
            sqlx::query(
                "INSERT INTO exposure_page (incident, page, segment, body) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (incident, page, segment) DO UPDATE SET body = excluded.body",
            )
            .bind(i64::from(incident.0))
            .bind(i64::from(*number))
            .bind(i64::from(segment))
            .bind(page.encode())
            .execute(&mut *tx.tx)
            .await?;
        }
        tx.commit().await
    }

    /// Notes that the pages of the exposure computed at `computed` are complete.
    pub async fn finish_pages(
        &self,
        incident: IncidentId,
        computed: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        tx.set_finding(incident, Finding::Pages, &computed).await?;
        tx.commit().await
    }

    /// Reads one page, segment by segment.
    pub async fn pages(&self, incident: IncidentId, number: u16) -> Result<Vec<Page>, StoreError> {
        let rows = sqlx::query(
            "SELECT body FROM exposure_page WHERE incident = $1 AND page = $2 ORDER BY segment",
        )
        .bind(i64::from(incident.0))
        .bind(i64::from(number))
        .fetch_all(self.db.reader())
        .await?;
        let read =
            |row: &AnyRow| Page::decode(&row.try_get::<Vec<u8>, _>("body")?).map_err(corrupt);
        rows.iter().map(read).collect()
    }
}

impl Tx {
    async fn keep_while_signed_in(
        &mut self,
        incident: IncidentId,
        records: &RoaringBitmap,
    ) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO exposure_signed_in (incident, records) VALUES ($1, $2)")
            .bind(i64::from(incident.0))
            .bind(bitmap_bytes(records)?)
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    /// Removes an exposure, its bitmaps and its pages.
    pub async fn forget_exposure(&mut self, incident: IncidentId) -> Result<(), StoreError> {
        for table in ["exposure_bitmap", "exposure_signed_in", "exposure_page"] {
            sqlx::query(super::rows::sql(format!("DELETE FROM {table} WHERE incident = $1")))
                .bind(i64::from(incident.0))
                .execute(&mut *self.tx)
                .await?;
        }
        self.remove_finding(incident, Finding::Exposure).await?;
        self.remove_finding(incident, Finding::Pages).await
    }
}
