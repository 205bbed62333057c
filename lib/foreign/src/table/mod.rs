//! Reads a brought table, which is a shop's own table of customers, from CSV, JSON Lines or
//! Parquet.

mod files;
mod row;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use cofferdam_core::{BroughtPerson, Field, Language};
use serde::Deserialize;

pub use row::BadRow;

/// The mapping of a brought table: the name of the column for each value.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableMapping {
    /// The column with the shop's own number or code for a customer, as access logs name customers.
    pub key: String,
    /// The column with the name.
    pub name: Option<String>,
    /// The column with the e-mail address.
    pub email: Option<String>,
    /// The columns with the lines of the postal address, in order.
    #[serde(default)]
    pub address: Vec<String>,
    /// The column with the country (ISO 3166-1, two letters). Another form is an unknown country.
    pub country: Option<String>,
    /// The column with the state or province (ISO 3166-2, the part behind the hyphen).
    pub region: Option<String>,
    /// The column with the language (ISO 639-1). `de-AT` and `de_AT` mean `de`.
    pub language: Option<String>,
    /// The language of a customer without one.
    pub default_language: Language,
    /// The column that tells whether the customer is a minor.
    pub minor: Option<String>,
    /// Columns that are not brought, and the field that each holds. Only the fact that a cell is
    /// filled is read.
    #[serde(default)]
    pub holds: BTreeMap<String, Field>,
}

impl TableMapping {
    /// Every column that the mapping names, without duplicates.
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

/// The format of a table's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableFormat {
    /// CSV with a header row.
    Csv,
    /// One JSON object per line.
    JsonLines,
    /// Parquet, uncompressed or compressed with Snappy.
    Parquet,
}

impl TableFormat {
    /// The format for a file's extension; `None` if the extension is unknown.
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

/// A table can't be read to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError<E> {
    /// The file can't be read.
    #[error("from row {row} on: {what}")]
    Unreadable {
        /// The number of the first row that could not be read, from 1.
        row: u64,
        /// The error of the reader.
        what: String,
    },
    /// The table lacks these columns, which the mapping names.
    #[error("the table has no column {}", .0.join(", "))]
    Missing(Vec<String>),
    /// The receiver of the rows failed.
    #[error(transparent)]
    Taker(E),
}

/// The receiver of rows. It gets the number of each row, from 1, and the row or its fault.
pub type TakeRow<'a, E> = &'a mut dyn FnMut(u64, Result<BroughtPerson, BadRow>) -> Result<(), E>;

/// Reads a table from a file and hands each row to `take`.
pub fn read_file<E>(
    mapping: &TableMapping,
    format: TableFormat,
    file: File,
    take: TakeRow<'_, E>,
) -> Result<(), TableError<E>> {
    match format {
        TableFormat::Csv => read_csv(mapping, BufReader::new(file), take),
        TableFormat::JsonLines => files::json_lines(mapping, file, take),
        TableFormat::Parquet => files::parquet(mapping, file, take),
    }
}

/// Reads a table in CSV, for example the output of `COPY … TO STDOUT (FORMAT csv, HEADER)`.
pub fn read_csv<E>(
    mapping: &TableMapping,
    table: impl Read,
    take: TakeRow<'_, E>,
) -> Result<(), TableError<E>> {
    files::csv(mapping, table, take)
}
