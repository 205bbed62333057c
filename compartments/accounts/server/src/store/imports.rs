//! The progress of imports.

use std::collections::HashMap;

use accounts_api::ImportState;
use cofferdam_store::StoreError;
use sqlx::FromRow;

use super::{Store, Tx, rows};
use crate::domain::import::Reject;

/// The part that one call adds to the import of a file.
#[derive(Debug)]
pub struct ImportProgress<'a> {
    /// The name of the file.
    pub source: &'a str,
    /// The last line of the call.
    pub to_line: u64,
    /// The number of customers that the call created.
    pub created: usize,
    /// The lines that this call was the first to refuse.
    pub rejects: Vec<Reject>,
}

#[derive(FromRow, Default)]
struct ImportRow {
    done_to_line: i64,
    created: i64,
}

#[derive(FromRow)]
struct RejectRow {
    line: i64,
    reason: String,
}

impl Store {
    /// Reads the progress of a file's import.
    pub async fn import_state(&self, source: &str) -> Result<ImportState, StoreError> {
        let row: Option<ImportRow> =
            sqlx::query_as("SELECT done_to_line, created FROM imports WHERE source = $1")
                .bind(source)
                .fetch_optional(self.db.reader())
                .await?;
        let ImportRow { done_to_line, created } = row.unwrap_or_default();
        Ok(ImportState {
            done_to_line: done_to_line.unsigned_abs(),
            created: created.unsigned_abs(),
        })
    }

    /// Reads the lines from `from` to `to` that were refused before, with the reasons.
    pub async fn import_rejects(
        &self,
        source: &str,
        from: u64,
        to: u64,
    ) -> Result<HashMap<u64, String>, StoreError> {
        const LIST: &str = "SELECT line, reason FROM import_rejects \
             WHERE source = $1 AND line >= $2 AND line <= $3";
        let rows: Vec<RejectRow> = sqlx::query_as(LIST)
            .bind(source)
            .bind(number(from))
            .bind(number(to))
            .fetch_all(self.db.reader())
            .await?;
        Ok(rows.into_iter().map(|row| (row.line.unsigned_abs(), row.reason)).collect())
    }

    /// Adds the progress of a call.
    pub async fn insert_progress(
        &self,
        tx: &mut Tx,
        progress: &ImportProgress<'_>,
    ) -> Result<(), StoreError> {
        const ADVANCE: &str = "INSERT INTO imports (source, done_to_line, created) \
             VALUES ($1, $2, $3) ON CONFLICT (source) DO UPDATE SET \
             done_to_line = CASE WHEN imports.done_to_line > excluded.done_to_line \
                 THEN imports.done_to_line ELSE excluded.done_to_line END, \
             created = imports.created + excluded.created";
        sqlx::query(ADVANCE)
            .bind(progress.source)
            .bind(number(progress.to_line))
            .bind(i64::try_from(progress.created).unwrap_or(i64::MAX))
            .execute(&mut **tx)
            .await?;
        let head = "INSERT INTO import_rejects (source, line, reason)";
        let source = progress.source;
        rows::insert(tx, head, 3, &progress.rejects, |query, reject| {
            query.bind(source.to_owned()).bind(number(reject.line)).bind(reject.reason.as_str())
        })
        .await
    }
}

fn number(line: u64) -> i64 {
    i64::try_from(line).unwrap_or(i64::MAX)
}
