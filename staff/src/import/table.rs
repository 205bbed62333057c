//! Bringing the shop's own table of customers to `response`.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Instant;

use cofferdam_core::BroughtPerson;
use cofferdam_foreign::table::{
    TableError, TableFormat, TableMapping, TakeRow, read_csv, read_file,
};
use cofferdam_wire::{Client, load_config};
use futures_util::TryStreamExt as _;
use response_api::{FinishTable, ImportTable, MAX_PAGE, TableCounts};
use schemars::JsonSchema;
use serde::Serialize;
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use tokio::sync::mpsc::{Receiver, channel};

use super::error::ImportError;
use super::pages::{self, Pages, Reading, TakeError};
use super::rejects::{Reject, RejectsFile};
use crate::Progress;

/// The source of a table.
#[derive(Debug, Clone)]
pub enum TableSource {
    /// A file with the table.
    File {
        /// The path of the file.
        path: PathBuf,
        /// The format, by the file's ending.
        format: TableFormat,
    },
    /// A PostgreSQL database with the table.
    Database {
        /// The database's URL, which may hold a password.
        url: String,
        /// The table, as `public.customer`.
        table: String,
    },
}

impl TableSource {
    /// Parses a file name that ends in `.csv`, `.jsonl` or `.parquet`, or a database URL, as
    /// `postgres://USER@HOST/NAME`, with the name of a table.
    pub fn parse(from: &str, table: Option<&str>) -> Result<Self, ImportError> {
        if is_postgres(from) {
            let table = table.ok_or(ImportError::NoTable)?.to_owned();
            return Ok(Self::Database { url: from.to_owned(), table });
        }
        // A text that looks like a URL may hold a password, so no error repeats it.
        if let Some((scheme, _)) = from.split_once("://") {
            return Err(ImportError::Scheme(scheme.chars().take(20).collect()));
        }
        let path = PathBuf::from(from);
        match TableFormat::of(&path) {
            Some(format) => Ok(Self::File { path, format }),
            None => Err(ImportError::Ending(path)),
        }
    }
}

/// Whether a text is the URL of a PostgreSQL database.
pub(super) fn is_postgres(from: &str) -> bool {
    from.starts_with("postgres://") || from.starts_with("postgresql://")
}

/// The outcome of bringing a table.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TableSummary {
    /// The number of people who are new.
    pub created: u64,
    /// The number of people who were there already.
    pub updated: u64,
    /// The number of rows that were not taken.
    pub rejected: u64,
    /// The file that lists the rejected rows.
    pub rejects: PathBuf,
    /// The counts of everybody in the table now.
    pub table: TableCounts,
    /// The duration of the import, in seconds.
    pub seconds: f64,
}

/// Brings a table and lists the rows that are not taken in `rejects`. `mapping` explains the
/// columns. A second run brings everybody up to date. `progress` sees the number of people sent.
pub async fn import_table(
    client: &Client,
    source: &TableSource,
    mapping: &Path,
    rejects: &Path,
    progress: Progress<'_>,
) -> Result<TableSummary, ImportError> {
    let started = Instant::now();
    let mapping: TableMapping = load_config(mapping)?;
    let (mut people, reading) = start(source, mapping, rejects.to_owned()).await?;
    let (mut created, mut updated) = (0, 0);
    while let Some(page) = people.recv().await {
        for page in distinct(page) {
            let done = client.call(&ImportTable { people: page }).await;
            let done = done.map_err(ImportError::Response)?;
            created += done.created;
            updated += done.updated;
        }
        progress(created + updated, 0);
    }
    let rejected = reading.await??;
    let table = client.call(&FinishTable {}).await.map_err(ImportError::Response)?;
    let seconds = started.elapsed().as_secs_f64();
    Ok(TableSummary { created, updated, rejected, rejects: rejects.to_owned(), table, seconds })
}

/// Splits a page so that no key appears twice in one part. Of two rows with the same key, the later
/// one then counts.
fn distinct(page: Vec<BroughtPerson>) -> Vec<Vec<BroughtPerson>> {
    let mut pages: Vec<(BTreeSet<String>, Vec<BroughtPerson>)> = Vec::new();
    for person in page {
        let fits = pages.last().is_some_and(|(keys, _)| !keys.contains(&person.key));
        if !fits {
            pages.push(Default::default());
        }
        if let Some((keys, people)) = pages.last_mut() {
            keys.insert(person.key.clone());
            people.push(person);
        }
    }
    pages.into_iter().map(|(_, people)| people).collect()
}

/// Starts to read the table. The reader's result is the number of rejected rows.
async fn start(
    source: &TableSource,
    mapping: TableMapping,
    rejects: PathBuf,
) -> Result<(Receiver<Vec<BroughtPerson>>, Reading<u64>), ImportError> {
    match source.clone() {
        TableSource::Database { url, table } => {
            let rows = copy_out(&url, &table, &mapping).await?;
            Ok(pages::read(MAX_PAGE, move |pages| {
                take(&rejects, pages, |take| read_csv(&mapping, rows, take))
                    .map_err(ImportError::read(Path::new(&table)))
            }))
        }
        TableSource::File { path, format } => {
            let file = File::open(&path).map_err(ImportError::read(&path))?;
            Ok(pages::read(MAX_PAGE, move |pages| {
                take(&rejects, pages, |take| read_file(&mapping, format, file, take))
                    .map_err(ImportError::read(&path))
            }))
        }
    }
}

/// Takes the rows that can be taken, and lists the others.
fn take(
    rejects: &Path,
    pages: &mut Pages<BroughtPerson>,
    read: impl FnOnce(TakeRow<'_, TakeError>) -> Result<(), TableError<TakeError>>,
) -> Result<u64, TableError<TakeError>> {
    let failed = |e: ImportError| TableError::Taker(e.into());
    let mut list = RejectsFile::open(rejects, 0).map_err(failed)?;
    read(&mut |line, row| {
        match row {
            Ok(person) => pages.push(person)?,
            Err(e) => list.add(&Reject { line, reason: e.to_string() })?,
        }
        Ok(())
    })?;
    list.flush().map_err(failed)?;
    Ok(list.count())
}

/// Reads the mapped columns of a table as CSV, as they arrive.
async fn copy_out(
    url: &str,
    table: &str,
    mapping: &TableMapping,
) -> Result<ChannelReader, ImportError> {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let columns: Vec<_> = mapping.columns().into_iter().map(quoted).collect();
    let table: Vec<_> = table.split('.').map(quoted).collect();
    let statement = format!(
        "COPY (SELECT {} FROM {}) TO STDOUT (FORMAT csv, HEADER)",
        columns.join(", "),
        table.join(".")
    );
    let mut connection = PgConnection::connect(url).await?;
    // Where a policy would hide rows, the copy is refused, as pg_dump's is.
    sqlx::raw_sql("SET row_security = off").execute(&mut connection).await?;
    let (to, from) = channel(16);
    tokio::spawn(async move {
        let copied = async {
            let mut rows = connection.copy_out_raw(&statement).await?;
            while let Some(bytes) = rows.try_next().await? {
                if to.send(Ok(bytes.to_vec())).await.is_err() {
                    break;
                }
            }
            Ok::<_, sqlx::Error>(())
        };
        if let Err(e) = copied.await {
            // If the reader is gone, its own error is reported.
            let _ = to.send(Err(io::Error::other(e.to_string()))).await;
        }
    });
    Ok(ChannelReader { from, rest: io::Cursor::new(Vec::new()) })
}

/// The bytes that arrive through a channel, read on a thread that may block.
struct ChannelReader {
    from: Receiver<io::Result<Vec<u8>>>,
    rest: io::Cursor<Vec<u8>>,
}

impl Read for ChannelReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.rest.read(out)?;
            if read > 0 || out.is_empty() {
                return Ok(read);
            }
            match self.from.blocking_recv() {
                Some(more) => self.rest = io::Cursor::new(more?),
                None => return Ok(0),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_error_shows_the_password_of_a_url() {
        let refused = TableSource::parse("mysql://x:secret@127.0.0.1/shop", None).unwrap_err();
        let text = format!("{refused} {refused:?}");
        assert!(text.contains("mysql") && !text.contains("secret"), "{text}");
    }

    /// A policy hides half the rows from a reader. The copy is refused, as that of `pg_dump` is.
    #[tokio::test]
    async fn a_table_whose_rows_a_policy_hides_is_refused() {
        let database = testkit::postgres::Database::create().await;
        let url = database.url();
        let mut owner = PgConnection::connect(&url).await.unwrap();
        let name = format!("hidden_{}", std::process::id());
        let setup = format!(
            "CREATE TABLE {name} AS SELECT id FROM generate_series(1, 4) AS id;
             ALTER TABLE {name} ENABLE ROW LEVEL SECURITY;
             CREATE ROLE {name} LOGIN; GRANT SELECT ON {name} TO {name};
             CREATE POLICY p ON {name} FOR SELECT TO {name} USING (id % 2 = 0)"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(setup)).execute(&mut owner).await.unwrap();
        let reader = url.replacen("postgres@", &format!("{name}@"), 1);
        let mapping: TableMapping =
            toml::from_str("key = \"id\"\ndefault_language = \"en\"").unwrap();
        let mut rows = copy_out(&reader, &name, &mapping).await.unwrap();
        let read = tokio::task::spawn_blocking(move || {
            let mut text = String::new();
            rows.read_to_string(&mut text)
        });
        let refused = read.await.unwrap().unwrap_err().to_string();
        let end = format!("DROP TABLE {name}; DROP ROLE {name}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(end)).execute(&mut owner).await.unwrap();
        assert!(refused.contains("row-level security"), "{refused}");
    }
}
