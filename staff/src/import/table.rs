//! Bringing the shop's own table of customers to `response`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use cofferdam_core::Language;
use cofferdam_foreign::table::{Assumed, TableMapping, TableRead};
use cofferdam_wire::{Client, load_config};
use response_api::{BeginTable, FinishTable, ImportTable, TableCounts, TableImportId};
use schemars::JsonSchema;
use serde::Serialize;

use super::error::ImportError;
use super::rejects::{Reject, RejectsFile};
use super::table_source::{Row, RowPlace, TableSource, start};
use crate::Progress;

/// The reason to reject a row with the key of another one: it may be another person's.
const REPEATED: &str = "a row before it has the same key";

/// The outcome of bringing a table.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TableSummary {
    /// The number of people who are new.
    pub created: u64,
    /// The number of people who were there already.
    pub updated: u64,
    /// The number of rows that were not taken. Each may be a person.
    pub rejected: u64,
    /// The file that lists the rejected rows.
    pub rejects: PathBuf,
    /// The assumptions under which the rows were read.
    pub assumed: Assumed,
    /// The language of people without one that is understood.
    pub default_language: Language,
    /// The counts of everybody in the table now.
    pub table: TableCounts,
    /// The duration of the import, in seconds.
    pub seconds: f64,
}

/// Brings a table and lists the rows that are not taken in `rejects`. `mapping` explains the
/// columns. A second run brings everybody up to date. The import takes the place of those from the
/// source that it `replaces` too. `progress` sees the number of people sent.
pub async fn import_table(
    client: &Client,
    source: &TableSource,
    replaces: Option<String>,
    mapping: &Path,
    rejects: &Path,
    progress: Progress<'_>,
) -> Result<TableSummary, ImportError> {
    let started = Instant::now();
    let mapping: TableMapping = load_config(mapping)?;
    let default_language = mapping.default_language.clone();
    let mut bringing = Bringing {
        client,
        source: source.name()?,
        replaces,
        import: None,
        list: RejectsFile::open(rejects, 0)?,
        created: 0,
        updated: 0,
    };
    let (mut rows, reading) = start(source, mapping).await?;
    while let Some(page) = rows.recv().await {
        bringing.bring(page).await?;
        progress(bringing.people(), 0);
    }
    let read = reading.await??;
    let table = bringing.finish(&read).await?;
    Ok(TableSummary {
        created: bringing.created,
        updated: bringing.updated,
        rejected: bringing.list.count(),
        rejects: rejects.to_owned(),
        assumed: read.assumed,
        default_language,
        table,
        seconds: started.elapsed().as_secs_f64(),
    })
}

/// An import under way.
struct Bringing<'a> {
    client: &'a Client,
    source: String,
    replaces: Option<String>,
    /// The import, once something was brought: until then, nothing is in doubt.
    import: Option<TableImportId>,
    list: RejectsFile,
    created: u64,
    updated: u64,
}

impl Bringing<'_> {
    const fn people(&self) -> u64 {
        self.created + self.updated
    }

    /// Brings the people of a page, and lists the other rows. Of several with the same key, only the
    /// first is brought.
    async fn bring(&mut self, rows: Vec<Row>) -> Result<(), ImportError> {
        let (mut places, mut people, mut keys) = (Vec::new(), Vec::new(), BTreeSet::new());
        for Row { place, person } in rows {
            match person {
                Ok(person) if keys.insert(person.key.clone()) => {
                    places.push(place);
                    people.push(person);
                }
                Ok(_) => self.reject(&place, REPEATED)?,
                Err(fault) => self.reject(&place, &fault.to_string())?,
            }
        }
        if people.is_empty() {
            return Ok(());
        }
        let import = self.open().await?;
        let done = self.client.call(&ImportTable { import, people }).await;
        let done = done.map_err(ImportError::Response)?;
        self.created += done.created;
        self.updated += done.updated;
        for place in done.repeated {
            let place = usize::try_from(place).ok().and_then(|place| places.get(place));
            let place = place.ok_or(ImportError::OtherRows)?;
            self.reject(place, REPEATED)?;
        }
        Ok(())
    }

    fn reject(&mut self, place: &RowPlace, reason: &str) -> Result<(), ImportError> {
        let reason = match &place.file {
            Some(file) => format!("{file}: {reason}"),
            None => reason.to_owned(),
        };
        self.list.add(&Reject { line: place.line, reason })
    }

    /// Finishes the import, if each row is a person whom `response` has, or is listed.
    async fn finish(&mut self, read: &TableRead) -> Result<TableCounts, ImportError> {
        self.list.flush()?;
        let (people, rejected) = (self.people(), self.list.count());
        if read.rows != people + rejected {
            return Err(ImportError::RowsLost { rows: read.rows, people, rejected });
        }
        let import = self.open().await?;
        let finish = FinishTable { import, people, rejected };
        self.client.call(&finish).await.map_err(ImportError::Response)
    }

    async fn open(&mut self) -> Result<TableImportId, ImportError> {
        if let Some(import) = self.import {
            return Ok(import);
        }
        let begin = BeginTable { source: self.source.clone(), replaces: self.replaces.clone() };
        let import = self.client.call(&begin).await.map_err(ImportError::Response)?;
        self.import = Some(import);
        Ok(import)
    }
}
