//! The findings about an incident and the results of its acts, one JSON document a kind.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cofferdam_core::{CallerName, Timestamp};
use cofferdam_store::StoreError;
use response_api::{IncidentId, Notice};
use response_letter::Claims;
use roaring::RoaringBitmap;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sqlx::Row as _;

use super::rows::{corrupt, number};
use super::{Act, Store, Turn, Tx};

/// The kinds of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// [`response_api::Exposure`]
    Exposure,
    /// The most entries of each log that an exposure rested on, by the log's name.
    LogSizes,
    /// The [`Levels::told`](response_exposure::Levels::told) of the exposure that was computed last.
    Told,
    /// The same, of the exposure from which letters to customers were planned.
    PlannedTold,
    /// The access logs whose names were looked up before names in the brought table changed, by their
    /// SHA-256. It belongs to no incident.
    OutdatedLogs,
    /// The ids of the keys under which addresses of the brought table are hashed: the key's file may
    /// have been lost, and each instance has its own. It belongs to no incident.
    AddressKeys,
    /// The instant of the exposure whose pages are stored.
    Pages,
    /// The callers that are frozen for this incident.
    Frozen,
    /// [`response_api::Voided`], for the order over everybody.
    Voided,
    /// The [`VoidedSome`] of the orders over some customers.
    VoidedSome,
    /// [`response_api::Notice`]
    Notice,
    /// The [`response_letter::Claims`] that the published notice makes.
    NoticeClaims,
}

/// An order that made the credentials of some customers void.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoidedSome {
    /// Credentials set up to this instant are void.
    pub set_before: Timestamp,
    /// The customers: a Roaring bitmap in the portable serialisation, base64.
    pub roaring: String,
}

impl VoidedSome {
    /// The customers of the order.
    pub fn records(&self) -> Result<RoaringBitmap, StoreError> {
        let bytes = STANDARD.decode(&self.roaring).map_err(corrupt)?;
        RoaringBitmap::deserialize_from(bytes.as_slice()).map_err(corrupt)
    }
}

impl Finding {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Exposure => "exposure",
            Self::LogSizes => "log_sizes",
            Self::Told => "told",
            Self::PlannedTold => "planned_told",
            Self::OutdatedLogs => "outdated_logs",
            Self::AddressKeys => "address_keys",
            Self::Pages => "pages",
            Self::Frozen => "frozen",
            Self::Voided => "voided",
            Self::VoidedSome => "voided_some",
            Self::Notice => "notice",
            Self::NoticeClaims => "notice_claims",
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

    /// Keeps a published notice with the claims that it makes, and journals the publishing.
    pub async fn set_notice(
        &self,
        notice: &Notice,
        claims: &Claims,
        act: &Act,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        tx.set_finding(act.incident, Finding::Notice, notice).await?;
        tx.set_finding(act.incident, Finding::NoticeClaims, claims).await?;
        tx.journal(act).await?;
        tx.commit().await
    }
}

/// An incident's hold on a caller: it is frozen for that incident.
#[derive(Debug, Clone, Copy)]
pub struct Hold<'a> {
    /// The incident that holds the caller.
    pub incident: IncidentId,
    /// The caller.
    pub caller: &'a CallerName,
}

impl Store {
    /// The incidents that hold a caller frozen, in the order of their numbers.
    pub async fn holders(&self, caller: &CallerName) -> Result<Vec<IncidentId>, StoreError> {
        let rows =
            sqlx::query("SELECT incident, body FROM finding WHERE kind = $1 ORDER BY incident")
                .bind(Finding::Frozen.as_str())
                .fetch_all(self.db.reader())
                .await?;
        let mut holders = Vec::new();
        for row in rows {
            let held: Vec<CallerName> =
                serde_json::from_str(row.try_get("body")?).map_err(corrupt)?;
            if held.contains(caller) {
                holders.push(IncidentId(number(&row, "incident")?));
            }
        }
        Ok(holders)
    }

    /// Notes that an incident holds a caller, and journals the act.
    pub async fn hold(&self, hold: Hold<'_>, act: &Act) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let mut held = tx.held_besides(hold).await?;
        held.push(hold.caller.clone());
        tx.set_finding(hold.incident, Finding::Frozen, &held).await?;
        tx.journal(act).await?;
        tx.commit().await
    }

    /// Notes that an incident holds a caller no more.
    pub async fn release(&self, hold: Hold<'_>) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let held = tx.held_besides(hold).await?;
        tx.set_finding(hold.incident, Finding::Frozen, &held).await?;
        tx.commit().await
    }
}

impl Tx {
    /// The other callers that the incident holds. No other transaction changes them before this one
    /// ends.
    async fn held_besides(&mut self, hold: Hold<'_>) -> Result<Vec<CallerName>, StoreError> {
        self.take_turn(Turn::Journal(hold.incident)).await?;
        let row = sqlx::query("SELECT body FROM finding WHERE incident = $1 AND kind = $2")
            .bind(i64::from(hold.incident.0))
            .bind(Finding::Frozen.as_str())
            .fetch_optional(&mut *self.tx)
            .await?;
        let Some(row) = row else { return Ok(Vec::new()) };
        let mut held: Vec<CallerName> =
            serde_json::from_str(row.try_get("body")?).map_err(corrupt)?;
        held.retain(|caller| caller != hold.caller);
        Ok(held)
    }

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
