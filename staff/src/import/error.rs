//! Errors of imports.

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};

use cofferdam_wire::{CallError, ConfigError};

/// Why an import stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The file of customers can't be read as one.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The list of rejects can't be written.
    #[error("{}: {source}", path.display())]
    Rejects {
        /// The list.
        path: PathBuf,
        /// The fault.
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
        /// The file, or the table in a database.
        place: String,
        /// The fault.
        reason: String,
    },
    /// A database has many tables.
    #[error("name the table of the database with --table")]
    NoTable,
    /// A table's file has another ending than those that are known.
    #[error("{}: a table's file ends in .csv, .jsonl or .parquet", .0.display())]
    Ending(PathBuf),
    /// The shop's database refuses. Its URL may hold a password and stands in no error.
    #[error("the shop's database: {0}")]
    Database(#[from] sqlx::Error),
    /// An access log names no instant, so that nobody knows the time that it covers.
    #[error("{}: no line names an instant; give --covers-from and --covers-to", .0.display())]
    NoInstant(PathBuf),
    /// The thread that reads ended before it was done.
    #[error("the reader stopped: {0}")]
    Reader(#[from] tokio::task::JoinError),
}

impl ImportError {
    /// Names the place where reading failed.
    pub(super) fn read<E: Display>(place: &Path) -> impl Fn(E) -> Self + '_ {
        move |reason| Self::Read { place: place.display().to_string(), reason: reason.to_string() }
    }
}

/// Why a file of customers can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The file can't be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file can't be read past a line.
    #[error("{} from line {line} on: {source}", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// The line on which the record begins.
        line: u64,
        /// The fault.
        source: csv::Error,
    },
    /// The first row is no header.
    #[error("{}: {source}", path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// The fault.
        source: BadHeader,
    },
}

/// Why a row is no header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadHeader {
    /// Columns are missing.
    #[error("the header row has no column {}", .0.join(", "))]
    Missing(Vec<&'static str>),
    /// A column stands there twice.
    #[error("the header row has the column {0} twice")]
    Twice(&'static str),
}
