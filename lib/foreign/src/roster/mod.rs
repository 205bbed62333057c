//! A shop's own table of customers: as CSV, JSON Lines or Parquet.

mod files;
mod row;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use cofferdam_core::{Field, Language, RosterPerson};
use serde::Deserialize;

pub use row::BadRow;

/// Which columns of the table mean what.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RosterMapping {
    /// The shop's own number or code for a customer, as its access logs name customers.
    pub key: String,
    /// The name.
    pub name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The postal address: columns that become its lines.
    #[serde(default)]
    pub address: Vec<String>,
    /// The country (ISO 3166-1, two letters).
    pub country: Option<String>,
    /// The state or province (ISO 3166-2, the part behind the hyphen).
    pub region: Option<String>,
    /// The language (ISO 639-1); `de-AT` and `de_AT` are taken for `de`.
    pub language: Option<String>,
    /// The language of those who have none.
    pub default_language: Language,
    /// Whether a minor.
    pub minor: Option<String>,
    /// Columns that are not brought: only whether they hold something, and of which kind.
    #[serde(default)]
    pub holds: BTreeMap<String, Field>,
}

impl RosterMapping {
    /// Every column that it names, each once.
    #[must_use]
    pub fn columns(&self) -> Vec<&str> {
        let single =
            [&self.name, &self.email, &self.country, &self.region, &self.language, &self.minor];
        let mut columns = vec![self.key.as_str()];
        columns.extend(single.into_iter().flatten().map(String::as_str));
        columns.extend(self.address.iter().chain(self.holds.keys()).map(String::as_str));
        let mut seen = std::collections::BTreeSet::new();
        columns.retain(|column| seen.insert(*column));
        columns
    }
}

/// How a table stands in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableFormat {
    /// CSV with a header row.
    Csv,
    /// One JSON object a line.
    JsonLines,
    /// Parquet, uncompressed or with Snappy.
    Parquet,
}

impl TableFormat {
    /// By the end of a file's name.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "csv" => Some(Self::Csv),
            "jsonl" | "ndjson" | "json" => Some(Self::JsonLines),
            "parquet" => Some(Self::Parquet),
            _ => None,
        }
    }
}

/// Why a table can't be read to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError<E> {
    /// The file can't be read.
    #[error("from row {row} on: {what}")]
    Unreadable {
        /// Where, from 1.
        row: u64,
        /// What is wrong.
        what: String,
    },
    /// Columns that the mapping names are not there.
    #[error("the table has no column {}", .0.join(", "))]
    Missing(Vec<String>),
    /// Who takes the rows failed.
    #[error(transparent)]
    Taker(E),
}

/// Takes each row, with its number from 1.
pub type TakeRow<'a, E> = &'a mut dyn FnMut(u64, Result<RosterPerson, BadRow>) -> Result<(), E>;

/// Reads the table in a file.
pub fn read_file<E>(
    mapping: &RosterMapping,
    format: TableFormat,
    file: File,
    take: TakeRow<'_, E>,
) -> Result<(), TableError<E>> {
    match format {
        TableFormat::Csv => read_csv(mapping, BufReader::new(file), take),
        TableFormat::JsonLines => files::json_lines(mapping, BufReader::new(file), take),
        TableFormat::Parquet => files::parquet(mapping, file, take),
    }
}

/// Reads a table in CSV, as `COPY … TO STDOUT (FORMAT csv, HEADER)` writes it, too.
pub fn read_csv<E>(
    mapping: &RosterMapping,
    table: impl Read,
    take: TakeRow<'_, E>,
) -> Result<(), TableError<E>> {
    files::csv(mapping, table, take)
}
