//! The imports of the brought table, the last one of each source.

use std::collections::{BTreeMap, BTreeSet};

use cofferdam_store::StoreError;
use response_api::{FinishTable, TableImportId};
use sqlx::Row as _;

use super::rows::{corrupt, number};
use super::{Act, Store, Tx};

impl Store {
    /// Begins an import in place of the source's last one and of another source, and returns its number;
    /// nothing if there is no such other source. The rejects of both count until this one is finished.
    pub async fn begin_import(
        &self,
        source: &str,
        replaces: Option<&str>,
        act: &Act,
    ) -> Result<Option<TableImportId>, StoreError> {
        let mut tx = self.begin().await?;
        let row = sqlx::query("SELECT COALESCE(MAX(number), 0) + 1 AS next FROM brought_import")
            .fetch_one(&mut *tx.tx)
            .await?;
        let import = TableImportId(number(&row, "next")?);
        let mut rejected = 0_i64;
        if let Some(other) = replaces {
            let row =
                sqlx::query("DELETE FROM brought_import WHERE source = $1 RETURNING rejected")
                    .bind(other.to_owned())
                    .fetch_optional(&mut *tx.tx)
                    .await?;
            let Some(row) = row else { return Ok(None) };
            rejected = row.try_get("rejected")?;
        }
        sqlx::query(
            "INSERT INTO brought_import (source, number, rejected, finished) VALUES ($1, $2, $3, 0)
             ON CONFLICT (source) DO UPDATE SET number = excluded.number, finished = 0,
                 rejected = brought_import.rejected + excluded.rejected",
        )
        .bind(source.to_owned())
        .bind(i64::from(import.0))
        .bind(rejected)
        .execute(&mut *tx.tx)
        .await?;
        tx.journal(act).await?;
        tx.commit().await?;
        Ok(Some(import))
    }

    /// The source of an import that was begun and not finished; none for any other number.
    pub async fn open_import(&self, import: TableImportId) -> Result<Option<String>, StoreError> {
        let row =
            sqlx::query("SELECT source FROM brought_import WHERE number = $1 AND finished = 0")
                .bind(i64::from(import.0))
                .fetch_optional(self.db.reader())
                .await?;
        row.map(|row| Ok(row.try_get("source")?)).transpose()
    }

    /// The number of people whom an import brought, and no later one.
    pub async fn people_of_import(&self, import: TableImportId) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT COUNT(*) AS people FROM brought_person WHERE import = $1")
            .bind(i64::from(import.0))
            .fetch_one(self.db.reader())
            .await?;
        number(&row, "people")
    }

    /// The sources of which the last import was begun and not finished.
    pub async fn unfinished_imports(&self) -> Result<BTreeSet<String>, StoreError> {
        let rows = sqlx::query("SELECT source FROM brought_import WHERE finished = 0");
        let rows = rows.fetch_all(self.db.reader()).await?;
        rows.iter().map(|row| Ok(row.try_get("source")?)).collect()
    }

    /// The rows that could not be taken in the last import of each source, if there were any.
    pub async fn rows_not_taken(&self) -> Result<BTreeMap<String, u64>, StoreError> {
        let rows = sqlx::query("SELECT source, rejected FROM brought_import WHERE rejected > 0");
        let rows = rows.fetch_all(self.db.reader()).await?;
        rows.iter().map(|row| Ok((row.try_get("source")?, number(row, "rejected")?))).collect()
    }
}

impl Tx {
    /// Notes the rejects of an import in place of those of the source's import before.
    pub(super) async fn finish_import(&mut self, finish: &FinishTable) -> Result<(), StoreError> {
        let finished = sqlx::query(
            "UPDATE brought_import SET rejected = $2, finished = 1 WHERE number = $1 AND finished = 0",
        )
        .bind(i64::from(finish.import.0))
        .bind(i64::try_from(finish.rejected).map_err(corrupt)?)
        .execute(&mut *self.tx)
        .await?;
        if finished.rows_affected() == 0 {
            return Err(corrupt("the import that is finished was begun anew meanwhile"));
        }
        // It stands for a table that was brought before rejects were counted.
        sqlx::query("DELETE FROM brought_import WHERE number = 0").execute(&mut *self.tx).await?;
        Ok(())
    }
}
