//! Reads a brought table, which is a shop's own table of customers, from CSV, JSON Lines or
//! Parquet.
//!
//! Every row becomes a person or a reject, and both are counted in one place (`rows.rs`). A file
//! that can't be read to its end is an error.

mod assumed;
mod delimited;
mod json_lines;
mod parquet;
mod places;
mod quotes;
mod row;
mod rows;
#[cfg(test)]
mod testing;
mod text;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use cofferdam_core::{BroughtPerson, Field, Language};
use serde::{Deserialize, Deserializer};

pub use assumed::{Assumed, KeyForm};
pub use places::PlaceForm;
pub use quotes::Quotes;
pub use row::BadRow;
use rows::Rows;
pub use rows::TableRead;
pub use text::Encoding;
use text::TextFile;

/// The mapping of a brought table: the name of the column for each value.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableMapping {
    /// The column with the shop's own number or code for a customer, as access logs name customers.
    pub key: String,
    /// The columns with the parts of the name, in order: one, or a list.
    #[serde(default, deserialize_with = "one_or_more")]
    pub name: Vec<String>,
    /// The column with the e-mail address.
    pub email: Option<String>,
    /// The columns with the lines of the postal address, in order.
    #[serde(default)]
    pub address: Vec<String>,
    /// The column with the country: a code of ISO 3166-1 or a name. Other text is an unknown
    /// country.
    pub country: Option<String>,
    /// The column with the state or province: a code of ISO 3166-2 or a name.
    pub region: Option<String>,
    /// The column with the language (ISO 639-1). `de-AT` and `de_AT` mean `de`.
    pub language: Option<String>,
    /// The language of a customer without one that is understood.
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
        let mut columns = self.read_columns();
        columns.extend(self.holds.keys().map(String::as_str));
        once(columns)
    }

    /// The columns whose text is read, without duplicates. Of the others, it only matters whether a cell
    /// is filled.
    fn read_columns(&self) -> Vec<&str> {
        let single = [&self.email, &self.country, &self.region, &self.language, &self.minor];
        let mut columns = vec![self.key.as_str()];
        columns.extend(
            single.into_iter().flatten().chain(&self.name).chain(&self.address).map(String::as_str),
        );
        once(columns)
    }
}

/// A column, or a list of columns.
fn one_or_more<'de, D: Deserializer<'de>>(columns: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "the name of a column, or a list of names")]
    enum Columns {
        One(String),
        Several(Vec<String>),
    }
    Ok(match Columns::deserialize(columns)? {
        Columns::One(column) => vec![column],
        Columns::Several(columns) => columns,
    })
}

/// Each column at its first place.
fn once(mut columns: Vec<&str>) -> Vec<&str> {
    let mut seen = std::collections::BTreeSet::new();
    columns.retain(|column| seen.insert(*column));
    columns
}

/// The format of a table's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableFormat {
    /// Delimited cells with a header row.
    Csv,
    /// JSON objects, one a line or as the elements of an array.
    JsonLines,
    /// Parquet, in any compression.
    Parquet,
}

impl TableFormat {
    /// The format for a file's extension; `None` if the extension is unknown. Text may be packed
    /// with gzip or zstd.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "csv" | "tsv" | "tab" | "psv" | "txt" => Some(Self::Csv),
            "jsonl" | "ndjson" | "json" => Some(Self::JsonLines),
            "parquet" => Some(Self::Parquet),
            "gz" | "zst" => {
                Self::of(Path::new(path.file_stem()?)).filter(|format| *format != Self::Parquet)
            }
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
    /// The table has this column, which the mapping names, more than once.
    #[error("the table has the column {0} more than once")]
    Twice(String),
    /// The table holds lists or groups in this column, whose text the mapping wants.
    #[error("the column {0} holds lists or groups, not single values")]
    Nested(String),
    /// The receiver of the rows failed.
    #[error(transparent)]
    Taker(E),
}

impl<E> TableError<E> {
    fn unreadable(row: u64, fault: &impl Display) -> Self {
        Self::Unreadable { row, what: fault.to_string() }
    }
}

/// The receiver of rows. It gets the number of each row, from 1, and the row or its fault.
pub type TakeRow<'a, E> = &'a mut dyn FnMut(u64, Result<BroughtPerson, BadRow>) -> Result<(), E>;

/// Reads a table from a file and hands each row to `take`.
pub fn read_file<E>(
    mapping: &TableMapping,
    format: TableFormat,
    file: File,
    take: TakeRow<'_, E>,
) -> Result<TableRead, TableError<E>> {
    let mut rows = Rows::new(mapping, take);
    if format == TableFormat::Parquet {
        parquet::read(file, &mut rows)?;
        return Ok(rows.read());
    }
    let text = TextFile::open(file).map_err(|e| TableError::unreadable(1, &e))?;
    rows.assumed.encodings.insert(text.encoding);
    if format == TableFormat::JsonLines {
        json_lines::read(&text, &mut rows)?;
    } else {
        let lines = text.read().map_err(|e| TableError::unreadable(1, &e))?;
        delimited::read(lines, &mut rows)?;
    }
    Ok(rows.read())
}

/// Reads a table in CSV that a database wrote: UTF-8, commas, and a header row, as by
/// `COPY … TO STDOUT (FORMAT csv, HEADER)`.
pub fn read_csv<E>(
    mapping: &TableMapping,
    table: impl Read,
    take: TakeRow<'_, E>,
) -> Result<TableRead, TableError<E>> {
    let mut rows = Rows::new(mapping, take);
    delimited::read_with(b',', table, &mut rows)?;
    Ok(rows.read())
}

/// Checks that a table has each column of the mapping once. `count` tells how often it has one.
fn check_columns<E>(
    mapping: &TableMapping,
    count: impl Fn(&str) -> usize,
) -> Result<(), TableError<E>> {
    let columns = mapping.columns();
    let missing: Vec<_> = columns.iter().filter(|column| count(column) == 0).collect();
    if !missing.is_empty() {
        return Err(TableError::Missing(missing.into_iter().map(|of| (*of).to_owned()).collect()));
    }
    let twice = columns.into_iter().find(|column| count(column) > 1);
    twice.map_or(Ok(()), |column| Err(TableError::Twice(column.to_owned())))
}
