//! The journal: a chain of entries for each incident. A changed, removed or inserted entry breaks
//! it.

use cofferdam_core::JournalHead;
use cofferdam_core::Timestamp;
use cofferdam_store::{Backend, StoreError};
use response_api::{ActStage, IncidentId, JournalAct, JournalEntry, journal_end, journal_hash};
use sqlx::Row as _;
use sqlx::any::AnyRow;
use tokio::sync::watch;

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

/// The turn to anchor journals. On SQLite, which one process writes, it is nothing.
pub struct AnchorTurn {
    _tx: Option<Tx>,
}

impl Store {
    /// Waits for the turn to anchor journals, and keeps it until the turn is dropped.
    pub async fn anchor_turn(&self) -> Result<AnchorTurn, StoreError> {
        if self.db.backend() == Backend::Sqlite {
            return Ok(AnchorTurn { _tx: None });
        }
        let mut tx = self.begin().await?;
        tx.take_turn(Turn::Anchor).await?;
        Ok(AnchorTurn { _tx: Some(tx) })
    }

    /// The number of commits of this process that added to a journal, as it grows.
    #[must_use]
    pub fn journalled(&self) -> watch::Receiver<u64> {
        self.journalled.subscribe()
    }

    /// The end of every journal.
    pub async fn journal_ends(&self) -> Result<Vec<(IncidentId, JournalHead)>, StoreError> {
        // The last number of each journal is one look into the index, however long the journal is.
        let rows = sqlx::query(
            "SELECT j.incident, j.number, j.at_ms, j.who, j.origin, j.action, j.detail, j.previous,
                    j.stage
             FROM (SELECT incident FROM incident UNION SELECT 0) AS i
             JOIN journal AS j ON j.incident = i.incident
                 AND j.number = (SELECT MAX(number) FROM journal WHERE incident = i.incident)",
        )
        .fetch_all(self.db.reader())
        .await?;
        let end = |row: &AnyRow| entry(row).map(|last| (last.incident, journal_end(&last)));
        rows.iter().map(end).collect()
    }

    /// The entry with a number, and the number of the journal's last one.
    pub async fn journal_entry(
        &self,
        incident: IncidentId,
        number: u32,
    ) -> Result<(Option<JournalEntry>, u32), StoreError> {
        let one = |condition: &str| format!("{COLUMNS} {condition} ORDER BY number DESC LIMIT 1");
        let last = sqlx::query(sql(one("")))
            .bind(i64::from(incident.0))
            .fetch_optional(self.db.reader())
            .await?;
        let found = sqlx::query(sql(one("AND number = $2")))
            .bind(i64::from(incident.0))
            .bind(i64::from(number))
            .fetch_optional(self.db.reader())
            .await?;
        let last = last.as_ref().map(entry).transpose()?.map_or(0, |entry| entry.number);
        Ok((found.as_ref().map(entry).transpose()?, last))
    }

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
        self.adds_to_journal = true;
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
