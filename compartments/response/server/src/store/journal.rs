//! The journal: a chain of entries an incident. An entry that is changed, removed or put in
//! between breaks it.

use cofferdam_core::Timestamp;
use cofferdam_store::{Backend, StoreError};
use response_api::{IncidentId, JournalEntry, journal_hash};
use sqlx::any::AnyRow;
use sqlx::{Any, Row, Transaction};

use super::{Store, corrupt, instant, number};
use crate::staff::Author;

const COLUMNS: &str = "SELECT incident, number, at_ms, who, origin, action, detail, previous
     FROM journal WHERE incident = $1";

/// What is written down.
#[derive(Debug)]
pub struct Act<'a> {
    /// When.
    pub at: Timestamp,
    /// Who, and from where.
    pub by: &'a Author,
    /// What was done.
    pub action: &'a str,
    /// A sentence.
    pub detail: &'a str,
}

impl Store {
    /// Writes down an act.
    pub async fn journal(&self, incident: IncidentId, act: &Act<'_>) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        if self.db.backend() == Backend::Postgres {
            // One at a time: each entry names the one before. SQLite has one writer.
            sqlx::query("SELECT incident FROM incident WHERE incident = $1 FOR UPDATE")
                .bind(i64::from(incident.0))
                .fetch_optional(&mut *tx)
                .await?;
        }
        write(&mut tx, incident, act).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The journal of an incident, oldest first.
    pub async fn read_journal(
        &self,
        incident: IncidentId,
    ) -> Result<Vec<JournalEntry>, StoreError> {
        let sql = format!("{COLUMNS} ORDER BY number");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(i64::from(incident.0))
            .fetch_all(self.db.reader())
            .await?;
        rows.iter().map(entry).collect()
    }
}

/// Adds an entry behind the last one.
pub async fn write(
    tx: &mut Transaction<'static, Any>,
    incident: IncidentId,
    act: &Act<'_>,
) -> Result<(), StoreError> {
    let sql = format!("{COLUMNS} ORDER BY number DESC LIMIT 1");
    let last = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(i64::from(incident.0))
        .fetch_optional(&mut **tx)
        .await?;
    let last = last.as_ref().map(entry).transpose()?;
    let previous = last.as_ref().map_or_else(|| JournalEntry::GENESIS.to_owned(), journal_hash);
    sqlx::query(
        "INSERT INTO journal (incident, number, at_ms, who, origin, action, detail, previous)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(i64::from(incident.0))
    .bind(i64::from(last.map_or(0, |entry| entry.number)) + 1)
    .bind(act.at.as_millisecond())
    .bind(act.by.name.as_str().to_owned())
    .bind(act.by.from.clone())
    .bind(act.action.to_owned())
    .bind(act.detail.to_owned())
    .bind(previous)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

fn entry(row: &AnyRow) -> Result<JournalEntry, StoreError> {
    let who: String = row.try_get(3)?;
    Ok(JournalEntry {
        incident: IncidentId(number(row.try_get(0)?)?),
        number: number(row.try_get(1)?)?,
        at: instant(row.try_get(2)?)?,
        by: who.parse().map_err(corrupt)?,
        from: row.try_get(4)?,
        action: row.try_get(5)?,
        detail: row.try_get(6)?,
        previous: row.try_get(7)?,
    })
}
