//! What was found or done for an incident: exposure, void order, notice.

use cofferdam_core::Field;
use cofferdam_store::StoreError;
use response_api::{Exposure, IncidentId, Level};
use roaring::RoaringBitmap;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row;

use super::{Store, bytes_of, corrupt};
use crate::domain::scope::Bitmaps;

/// The kinds of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// [`Exposure`]
    Exposure,
    /// Of which exposure the pages are: when it was computed.
    Pages,
    /// The callers that were frozen.
    Frozen,
    /// [`response_api::Voided`]
    Voided,
    /// [`response_api::Notice`]
    Notice,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Exposure => "exposure",
            Self::Pages => "pages",
            Self::Frozen => "frozen",
            Self::Voided => "voided",
            Self::Notice => "notice",
        }
    }
}

const UPSERT: &str = "INSERT INTO finding (incident, kind, body) VALUES ($1, $2, $3)
     ON CONFLICT (incident, kind) DO UPDATE SET body = excluded.body";

impl Store {
    /// What was found, if anything.
    pub async fn finding<T: DeserializeOwned>(
        &self,
        incident: IncidentId,
        kind: Kind,
    ) -> Result<Option<T>, StoreError> {
        let row = sqlx::query("SELECT body FROM finding WHERE incident = $1 AND kind = $2")
            .bind(i64::from(incident.0))
            .bind(kind.as_str())
            .fetch_optional(self.db.reader())
            .await?;
        let Some(row) = row else { return Ok(None) };
        let body: String = row.try_get(0)?;
        serde_json::from_str(&body).map(Some).map_err(corrupt)
    }

    /// Keeps what was found, in place of what was found before.
    pub async fn set_finding<T: Serialize>(
        &self,
        incident: IncidentId,
        kind: Kind,
        finding: &T,
    ) -> Result<(), StoreError> {
        sqlx::query(UPSERT)
            .bind(i64::from(incident.0))
            .bind(kind.as_str())
            .bind(serde_json::to_string(finding).map_err(corrupt)?)
            .execute(self.db.writer())
            .await?;
        Ok(())
    }

    /// Keeps an exposure with its bitmaps, all in place of the one before.
    pub async fn set_exposure(
        &self,
        exposure: &Exposure,
        bitmaps: [(Level, &Bitmaps); 3],
    ) -> Result<(), StoreError> {
        let incident = i64::from(exposure.incident.0);
        let mut tx = self.begin().await?;
        sqlx::query("DELETE FROM exposure_bitmap WHERE incident = $1")
            .bind(incident)
            .execute(&mut *tx)
            .await?;
        for (level, field, bytes) in serialised(bitmaps)? {
            sqlx::query(
                "INSERT INTO exposure_bitmap (incident, level, field, records)
                 VALUES ($1, $2, $3, $4)",
            )
            .bind(incident)
            .bind(level.as_str())
            .bind(field.as_str())
            .bind(bytes)
            .execute(&mut *tx)
            .await?;
        }
        sqlx::query(UPSERT)
            .bind(incident)
            .bind(Kind::Exposure.as_str())
            .bind(serde_json::to_string(exposure).map_err(corrupt)?)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// The bitmaps of a level, field by field.
    pub async fn bitmaps(&self, incident: IncidentId, level: Level) -> Result<Bitmaps, StoreError> {
        let rows = sqlx::query(
            "SELECT field, records FROM exposure_bitmap WHERE incident = $1 AND level = $2",
        )
        .bind(i64::from(incident.0))
        .bind(level.as_str())
        .fetch_all(self.db.reader())
        .await?;
        rows.iter()
            .map(|row| {
                let (field, bytes): (String, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
                let field: Field = field.parse().map_err(corrupt)?;
                Ok((field, RoaringBitmap::deserialize_from(bytes.as_slice()).map_err(corrupt)?))
            })
            .collect()
    }
}

/// The bitmaps as they are stored.
fn serialised(bitmaps: [(Level, &Bitmaps); 3]) -> Result<Vec<(Level, Field, Vec<u8>)>, StoreError> {
    let mut all = Vec::new();
    for (level, of) in bitmaps {
        for (field, records) in of {
            all.push((level, *field, bytes_of(records)?));
        }
    }
    Ok(all)
}
