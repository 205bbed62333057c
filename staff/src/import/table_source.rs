//! Where the shop's own table is read from: a file, a directory of files, or a PostgreSQL database.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cofferdam_core::BroughtPerson;
use cofferdam_foreign::table::{
    BadRow, TableError, TableFormat, TableMapping, TableRead, TakeRow, read_csv, read_file,
};
use futures_util::TryStreamExt as _;
use response_api::MAX_PAGE;
use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use tokio::sync::mpsc::{Receiver, channel};

use super::error::ImportError;
use super::pages::{self, Pages, Reading, TakeError};

/// The source of a table.
#[derive(Debug, Clone)]
pub enum TableSource {
    /// A file with the table, or a directory of such files, as Spark writes it.
    Files {
        /// The path of the file or of the directory.
        path: PathBuf,
        /// The files, by name.
        files: Vec<PathBuf>,
        /// The format, by the files' ending.
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
    /// Parses a file name that ends as those of tables do, the name of a directory of such files, or
    /// a database URL, as `postgres://USER@HOST/NAME`, with the name of a table.
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
        let files = if path.is_dir() { files_in(&path)? } else { vec![path.clone()] };
        let known =
            |file: &PathBuf| TableFormat::of(file).ok_or_else(|| ImportError::Ending(file.clone()));
        let formats = files.iter().map(known).collect::<Result<Vec<_>, _>>()?;
        match formats.split_first() {
            Some((format, others)) if others.iter().all(|other| other == format) => {
                Ok(Self::Files { path, format: *format, files })
            }
            _ => Err(ImportError::Ending(path)),
        }
    }

    /// The name by which `response` knows the source. An import takes the place of an earlier one
    /// from a source of the same name, so the name tells apart whatever may be another table.
    pub(super) fn name(&self) -> Result<String, ImportError> {
        match self {
            Self::Files { path, .. } => {
                let whole = fs::canonicalize(path).map_err(ImportError::read(path))?;
                Ok(whole.display().to_string())
            }
            Self::Database { url, table } => {
                let options: PgConnectOptions = url.parse()?;
                let database = options.get_database().unwrap_or_else(|| options.get_username());
                let (host, port) = (options.get_host(), options.get_port());
                Ok(format!("{host}:{port}/{database} {table}"))
            }
        }
    }
}

/// Whether a text is the URL of a PostgreSQL database.
pub(super) fn is_postgres(from: &str) -> bool {
    from.starts_with("postgres://") || from.starts_with("postgresql://")
}

/// The files of a table in a directory. Programs put marks of their own beside them, whose names
/// begin with `_` or a dot.
fn files_in(directory: &Path) -> Result<Vec<PathBuf>, ImportError> {
    let failed = ImportError::read(directory);
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(&failed)? {
        let path = entry.map_err(&failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            return Err(ImportError::Partitions(path));
        }
        if !name.starts_with(['_', '.']) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// A row with its place, as a person or with the reason why it can't be taken.
pub struct Row {
    /// The place of the row.
    pub place: RowPlace,
    /// The person, or the fault.
    pub person: Result<BroughtPerson, BadRow>,
}

/// The place of a row.
#[derive(Debug, Clone)]
pub struct RowPlace {
    /// The number of the row, from 1, or of its line.
    pub line: u64,
    /// The file, if the table has several.
    pub file: Option<Arc<str>>,
}

/// Starts to read a table. The reader's result is the number of rows and what was assumed.
pub async fn start(
    source: &TableSource,
    mapping: TableMapping,
) -> Result<(Receiver<Vec<Row>>, Reading<TableRead>), ImportError> {
    match source.clone() {
        TableSource::Database { url, table } => {
            let rows = copy_out(&url, &table, &mapping).await?;
            Ok(pages::read(MAX_PAGE, move |pages| {
                hand_on(pages, None, |take| read_csv(&mapping, rows, take))
                    .map_err(ImportError::read(Path::new(&table)))
            }))
        }
        TableSource::Files { files, format, .. } => Ok(pages::read(MAX_PAGE, move |pages| {
            let mut all = TableRead::default();
            for path in &files {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let name = (files.len() > 1).then(|| Arc::from(name));
                let file = File::open(path).map_err(ImportError::read(path))?;
                let read =
                    hand_on(pages, name.as_ref(), |take| read_file(&mapping, format, file, take));
                all.add(read.map_err(ImportError::read(path))?);
            }
            Ok(all)
        })),
    }
}

/// Hands every row on, taken or not.
fn hand_on(
    pages: &mut Pages<Row>,
    file: Option<&Arc<str>>,
    read: impl FnOnce(TakeRow<'_, TakeError>) -> Result<TableRead, TableError<TakeError>>,
) -> Result<TableRead, TableError<TakeError>> {
    read(&mut |line, person| {
        pages.push(Row { place: RowPlace { line, file: file.cloned() }, person })
    })
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

    fn files_of(source: &TableSource) -> Vec<String> {
        let TableSource::Files { files, .. } = source else { panic!("files") };
        let name = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
        files.iter().map(name).collect()
    }

    #[test]
    fn a_directory_is_a_table_in_several_files() {
        let place = tempfile::tempdir().unwrap();
        let parse = || TableSource::parse(place.path().to_str().unwrap(), None);
        assert!(matches!(parse(), Err(ImportError::Ending(_))), "it is empty");
        for name in ["part-1.snappy.parquet", "part-0.snappy.parquet", "_SUCCESS", ".part-0.crc"] {
            fs::write(place.path().join(name), "").unwrap();
        }
        assert_eq!(files_of(&parse().unwrap()), ["part-0.snappy.parquet", "part-1.snappy.parquet"]);
        fs::write(place.path().join("part-2.csv"), "").unwrap();
        assert!(matches!(parse(), Err(ImportError::Ending(_))), "of two formats");
        fs::remove_file(place.path().join("part-2.csv")).unwrap();
        fs::create_dir(place.path().join("country=US")).unwrap();
        assert!(matches!(parse(), Err(ImportError::Partitions(_))));
    }

    #[test]
    fn a_name_tells_apart_what_may_be_another_table() {
        let name = |url: &str| TableSource::parse(url, Some("public.c")).unwrap().name().unwrap();
        let eu = name("postgres://reader:secret@eu.shop.example:5433/shop");
        assert_eq!(eu, "eu.shop.example:5433/shop public.c");
        assert_eq!(name("postgres://other@eu.shop.example:5433/shop"), eu);
        assert_ne!(name("postgres://reader@us.shop.example:5433/shop"), eu);
    }

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
