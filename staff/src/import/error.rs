//! Errors of imports.

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};

use cofferdam_wire::{CallError, ConfigError};

/// An import that stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The file of customers can't be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The list of rejects can't be written.
    #[error("{}: {source}", path.display())]
    Rejects {
        /// The list's file.
        path: PathBuf,
        /// The error of the CSV writer.
        source: csv::Error,
    },
    /// `accounts` refused, or does not answer.
    #[error("accounts: {0}; what was imported stays, the same command goes on from there")]
    Accounts(CallError),
    /// `accounts` answered for other rows than it was sent.
    #[error("accounts answered for other rows than it was sent")]
    Mismatch,
    /// `response` refused, or does not answer.
    #[error(transparent)]
    Response(CallError),
    /// A mapping can't be read.
    #[error(transparent)]
    Mapping(#[from] ConfigError),
    /// A table or an access log can't be read.
    #[error("{place}: {reason}")]
    Read {
        /// The file, or the database table.
        place: String,
        /// The reason, without any cell of a row.
        reason: String,
    },
    /// The source is a database, and no table of it was named.
    #[error("name the table of the database with --table")]
    NoTable,
    /// The file's ending is not that of a known table format.
    #[error(
        "{}: a table's file ends in .csv, .tsv, .txt, .jsonl or .parquet, and a directory holds files \
         of one of these kinds", .0.display()
    )]
    Ending(PathBuf),
    /// A directory of files holds another directory.
    #[error("{}: a directory within the table's directory; bring each one by itself", .0.display())]
    Partitions(PathBuf),
    /// `response` answered about rows that it was not sent.
    #[error("response answered about rows that it was not sent")]
    OtherRows,
    /// The people and the rejects are not all the rows of a table.
    #[error(
        "the table has {rows} rows, but {people} people were brought and {rejected} rows were \
         rejected: bring it again"
    )]
    RowsLost {
        /// The number of rows that were read.
        rows: u64,
        /// The number of people whom `response` has.
        people: u64,
        /// The number of listed rejects.
        rejected: u64,
    },
    /// The source is a URL of another kind of database.
    #[error("{0}:// is not read; read from postgres:// or from a file")]
    Scheme(String),
    /// The shop's database refuses. Its URL may hold a password, so no error shows it.
    #[error("the shop's database: {0}")]
    Database(#[from] sqlx::Error),
    /// No line of an access log has an instant, so the time that it covers is unknown.
    #[error("{}: no line has a time; give --covers-from and --covers-to", .0.display())]
    NoInstant(PathBuf),
    /// A mapping fits no line of an access log.
    #[error("{}: the mapping fits no line of it; of the first: {fault}", file.display())]
    NoLineFits {
        /// The log's file.
        file: PathBuf,
        /// The fault of its first line.
        fault: String,
    },
    /// No line of the access logs names a table of the mapping, and some have a similar name.
    #[error(
        "{}: no line names a table of the mapping ({tables}), and some name {similar}: is a name \
         misspelt? If they are right, say --unnamed", mapping.display()
    )]
    NoTableNamed {
        /// The mapping's file.
        mapping: PathBuf,
        /// The tables of the mapping.
        tables: String,
        /// The similar name in the lines.
        similar: String,
    },
    /// No access log has a line.
    #[error("the files have no lines: they prove nothing")]
    Nothing,
    /// The reading thread ended before it was done.
    #[error("the reader stopped: {0}")]
    Reader(#[from] tokio::task::JoinError),
}

impl ImportError {
    /// Names the file that could not be read.
    pub(super) fn read<E: Display>(place: &Path) -> impl Fn(E) -> Self + '_ {
        move |reason| Self::Read { place: place.display().to_string(), reason: reason.to_string() }
    }
}

/// A file of customers that can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The file can't be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file of customers.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A line of the file can't be read, and so nothing after it.
    #[error("{} from line {line} on: {source}", path.display())]
    Record {
        /// The file of customers.
        path: PathBuf,
        /// The line on which the record begins.
        line: u64,
        /// The error of the CSV reader.
        source: csv::Error,
    },
    /// The first row is no header.
    #[error("{}: {source}", path.display())]
    Header {
        /// The file of customers.
        path: PathBuf,
        /// The fault of the first row.
        source: BadHeader,
    },
}

/// A first row that is no header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadHeader {
    /// Columns are missing, by name.
    #[error("the header row has no column {}", .0.join(", "))]
    Missing(Vec<&'static str>),
    /// A column appears twice.
    #[error("the header row has the column {0} twice")]
    Twice(&'static str),
}
