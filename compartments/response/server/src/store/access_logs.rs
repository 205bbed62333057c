//! The access logs that were brought.

use std::collections::BTreeSet;

use cofferdam_store::StoreError;
use response_api::{AccessLog, BeginAccessLog, IncidentId};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::rows::corrupt;
use super::{Act, Finding, Store, Tx};

/// An access log, finished or not.
#[derive(Debug, Clone)]
pub struct StoredAccessLog {
    /// The name by which people know it.
    pub name: String,
    /// The format of the log's lines.
    pub format: String,
    /// The counts and the span of the log, once it is finished.
    pub finished: Option<AccessLog>,
}

impl Store {
    /// Notes that an access log is being brought, unless it is known. Returns the stored log.
    pub async fn begin_access_log(
        &self,
        log: &BeginAccessLog,
        act: &Act,
    ) -> Result<StoredAccessLog, StoreError> {
        let mut tx = self.begin().await?;
        let added = sqlx::query(
            "INSERT INTO access_log (log, name, format, brought_ms, brought_by)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (log) DO NOTHING",
        )
        .bind(log.log.clone())
        .bind(log.name.clone())
        .bind(log.format.clone())
        .bind(act.at.as_millisecond())
        .bind(act.by.name.to_string())
        .execute(&mut *tx.tx)
        .await?;
        if added.rows_affected() > 0 {
            tx.journal(act).await?;
        }
        tx.commit().await?;
        let known = self.access_log(&log.log).await?;
        known.ok_or_else(|| corrupt("an access log that was just written is lost"))
    }

    /// Reads one access log.
    pub async fn access_log(&self, log: &str) -> Result<Option<StoredAccessLog>, StoreError> {
        let row = sqlx::query("SELECT name, format, body FROM access_log WHERE log = $1")
            .bind(log.to_owned())
            .fetch_optional(self.db.reader())
            .await?;
        row.as_ref().map(stored).transpose()
    }

    /// Keeps the counts and the span of a finished access log.
    pub async fn finish_access_log(&self, log: &AccessLog, act: &Act) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query("UPDATE access_log SET body = $2 WHERE log = $1")
            .bind(log.log.clone())
            .bind(serde_json::to_string(log).map_err(corrupt)?)
            .execute(&mut *tx.tx)
            .await?;
        tx.journal(act).await?;
        tx.commit().await
    }

    /// Reads the finished access logs, by name.
    pub async fn access_logs(&self) -> Result<Vec<AccessLog>, StoreError> {
        let rows = sqlx::query(
            "SELECT name, format, body FROM access_log WHERE body IS NOT NULL ORDER BY name, log",
        );
        let rows = rows.fetch_all(self.db.reader()).await?;
        let logs = rows.iter().map(stored).collect::<Result<Vec<_>, _>>()?;
        Ok(logs.into_iter().filter_map(|log| log.finished).collect())
    }

    /// Reads the id and the name of each access log whose import was not finished.
    pub async fn unfinished_access_logs(&self) -> Result<Vec<(String, String)>, StoreError> {
        let rows = sqlx::query("SELECT log, name FROM access_log WHERE body IS NULL ORDER BY name");
        let rows = rows.fetch_all(self.db.reader()).await?;
        rows.iter().map(|row| Ok((row.try_get("log")?, row.try_get("name")?))).collect()
    }

    /// Reads the ids of the access logs whose names were looked up before names in the brought table
    /// changed.
    pub async fn outdated_access_logs(&self) -> Result<BTreeSet<String>, StoreError> {
        let outdated = self.finding(IncidentId::NONE, Finding::OutdatedLogs).await?;
        Ok(outdated.unwrap_or_default())
    }

    /// Forgets an access log. The same log may be brought again.
    pub async fn remove_access_log(&self, log: &str, act: &Act) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query("DELETE FROM access_log WHERE log = $1")
            .bind(log.to_owned())
            .execute(&mut *tx.tx)
            .await?;
        tx.journal(act).await?;
        let mut outdated = self.outdated_access_logs().await?;
        if outdated.remove(log) {
            tx.set_finding(IncidentId::NONE, Finding::OutdatedLogs, &outdated).await?;
        }
        tx.commit().await
    }
}

impl Tx {
    /// Notes that the names of every log were looked up before the brought table changed. The
    /// transaction has journalled that change: a log that is begun meanwhile is journalled after it,
    /// and looks its names up later still.
    pub async fn outdate_access_logs(&mut self) -> Result<(), StoreError> {
        let rows = sqlx::query("SELECT log FROM access_log").fetch_all(&mut *self.tx).await?;
        let logs = rows.iter().map(|row| row.try_get("log"));
        let logs = logs.collect::<Result<BTreeSet<String>, _>>()?;
        self.set_finding(IncidentId::NONE, Finding::OutdatedLogs, &logs).await
    }
}

fn stored(row: &AnyRow) -> Result<StoredAccessLog, StoreError> {
    let body: Option<String> = row.try_get("body")?;
    Ok(StoredAccessLog {
        name: row.try_get("name")?,
        format: row.try_get("format")?,
        finished: body.map(|body| serde_json::from_str(&body)).transpose().map_err(corrupt)?,
    })
}
