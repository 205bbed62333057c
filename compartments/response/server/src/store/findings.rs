//! The findings about an incident and the results of its acts, one JSON document a kind.

use cofferdam_store::StoreError;
use response_api::IncidentId;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row as _;

use super::rows::corrupt;
use super::{Act, Store, Tx};

/// The kinds of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// [`response_api::Exposure`]
    Exposure,
    /// The instant of the exposure whose pages are stored.
    Pages,
    /// The callers that are frozen for this incident.
    Frozen,
    /// [`response_api::Voided`], for the order over everybody.
    Voided,
    /// [`response_api::Notice`]
    Notice,
}

impl Finding {
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

impl Store {
    /// Reads a finding, if there is one.
    pub async fn finding<T: DeserializeOwned>(
        &self,
        incident: IncidentId,
        kind: Finding,
    ) -> Result<Option<T>, StoreError> {
        let row = sqlx::query("SELECT body FROM finding WHERE incident = $1 AND kind = $2")
            .bind(i64::from(incident.0))
            .bind(kind.as_str())
            .fetch_optional(self.db.reader())
            .await?;
        let Some(row) = row else { return Ok(None) };
        serde_json::from_str(row.try_get("body")?).map(Some).map_err(corrupt)
    }

    /// Keeps a finding in place of the one before, and journals the act that made it.
    pub async fn set_finding<T: Serialize>(
        &self,
        kind: Finding,
        finding: &T,
        act: &Act,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        tx.set_finding(act.incident, kind, finding).await?;
        tx.journal(act).await?;
        tx.commit().await
    }
}

impl Tx {
    pub async fn set_finding<T: Serialize>(
        &mut self,
        incident: IncidentId,
        kind: Finding,
        finding: &T,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO finding (incident, kind, body) VALUES ($1, $2, $3)
             ON CONFLICT (incident, kind) DO UPDATE SET body = excluded.body",
        )
        .bind(i64::from(incident.0))
        .bind(kind.as_str())
        .bind(serde_json::to_string(finding).map_err(corrupt)?)
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    pub async fn remove_finding(
        &mut self,
        incident: IncidentId,
        kind: Finding,
    ) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM finding WHERE incident = $1 AND kind = $2")
            .bind(i64::from(incident.0))
            .bind(kind.as_str())
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }
}
