//! A mapping, and rows that were read.

use cofferdam_core::BroughtPerson;

use super::rows::Rows;
use super::{BadRow, TableError, TableMapping};

pub fn mapping() -> TableMapping {
    toml::from_str(include_str!("../../../../tests/fixtures/foreign/table-columns.toml")).unwrap()
}

pub type Row = (u64, Result<BroughtPerson, BadRow>);

/// The rows that a reader hands on.
pub fn rows_of(
    read: impl FnOnce(&mut Rows<'_, ()>) -> Result<(), TableError<()>>,
) -> Result<Vec<Row>, TableError<()>> {
    let (mapping, mut found) = (mapping(), Vec::new());
    let mut take = |number, row| {
        found.push((number, row));
        Ok(())
    };
    read(&mut Rows::new(&mapping, &mut take))?;
    Ok(found)
}

/// The keys of rows, or their faults.
pub fn keys(rows: Vec<Row>) -> Vec<Result<String, BadRow>> {
    rows.into_iter().map(|(_, row)| row.map(|person| person.key)).collect()
}
