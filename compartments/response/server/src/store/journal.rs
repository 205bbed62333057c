//! The journal: a chain of entries for each incident. A changed, removed or inserted entry breaks
//! it.

use cofferdam_core::Timestamp;
use cofferdam_store::StoreError;
use response_api::{ActStage, IncidentId, JournalAct, JournalEntry, journal_hash};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::rows::{corrupt, instant, number, parsed, sql};
use super::{Store, Turn, Tx};
use crate::staff::Author;

const COLUMNS: &str = "SELECT incident, number, at_ms, who, origin, action, detail, previous, stage
     FROM journal WHERE incident = $1";

/// An act that the journal names.
#[derive(Debug, Clone)]
pub struct Act {
    /// The incident, or [`IncidentId::NONE`] for an act that belongs to none.
    pub incident: IncidentId,
    /// The instant of the act.
    pub at: Timestamp,
    /// The person, and the address that the request came from.
    pub by: Author,
    /// The act, by its name in the journal.
    pub action: JournalAct,
    /// One sentence about the act, without personal data.
    pub detail: String,
    /// The stage of an act that reaches another compartment; none for other acts.
    pub stage: Option<ActStage>,
}

impl Store {
    /// Journals an act that changes nothing else in the tables.
    pub async fn journal(&self, act: &Act) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        tx.journal(act).await?;
        tx.commit().await
    }

    /// The journal of an incident, oldest entry first.
    pub async fn read_journal(
        &self,
        incident: IncidentId,
    ) -> Result<Vec<JournalEntry>, StoreError> {
        let rows = sqlx::query(sql(format!("{COLUMNS} ORDER BY number")))
            .bind(i64::from(incident.0))
            .fetch_all(self.db.reader())
            .await?;
        rows.iter().map(entry).collect()
    }
}

impl Tx {
    /// Adds an entry behind the last one, in the transaction that does the act.
    pub async fn journal(&mut self, act: &Act) -> Result<(), StoreError> {
        let incident = i64::from(act.incident.0);
        self.take_turn(Turn::Journal(act.incident)).await?;
        let last = sqlx::query(sql(format!("{COLUMNS} ORDER BY number DESC LIMIT 1")))
            .bind(incident)
            .fetch_optional(&mut *self.tx)
            .await?;
        let last = last.as_ref().map(entry).transpose()?;
        let previous = last.as_ref().map_or_else(|| JournalEntry::GENESIS.to_owned(), journal_hash);
        sqlx::query(
            "INSERT INTO journal
                 (incident, number, at_ms, who, origin, action, detail, previous, stage)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(incident)
        .bind(i64::from(last.map_or(0, |entry| entry.number)) + 1)
        .bind(act.at.as_millisecond())
        .bind(act.by.name.as_str().to_owned())
        .bind(act.by.from.clone())
        .bind(act.action.as_str().to_owned())
        .bind(act.detail.clone())
        .bind(previous)
        .bind(act.stage.map(stage_name))
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }
}

fn entry(row: &AnyRow) -> Result<JournalEntry, StoreError> {
    let stage = row.try_get::<Option<String>, _>("stage")?;
    Ok(JournalEntry {
        incident: IncidentId(number(row, "incident")?),
        number: number(row, "number")?,
        at: instant(row, "at_ms")?,
        by: parsed(row, "who")?,
        from: row.try_get("origin")?,
        action: JournalAct::from(row.try_get::<String, _>("action")?),
        detail: row.try_get("detail")?,
        previous: row.try_get("previous")?,
        stage: stage.as_deref().map(stage_of).transpose()?,
    })
}

const fn stage_name(stage: ActStage) -> &'static str {
    match stage {
        ActStage::Intended => "intended",
        ActStage::Done => "done",
        ActStage::Failed => "failed",
    }
}

fn stage_of(name: &str) -> Result<ActStage, StoreError> {
    let all = [ActStage::Intended, ActStage::Done, ActStage::Failed];
    let stage = all.into_iter().find(|stage| stage_name(*stage) == name);
    stage.ok_or_else(|| corrupt(format!("the journal stage {name:?}")))
}
