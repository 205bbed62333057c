//! The catalogue of the shop's database, and the mapping that it proposes.

use std::path::Path;

use cofferdam_core::Timestamp;
use cofferdam_foreign::Catalogue;
use cofferdam_foreign::catalogue::{QUERY, propose};
use schemars::JsonSchema;
use serde::Serialize;
use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Row as _};

use super::error::ImportError;
use super::table_source::is_postgres;

pub use cofferdam_foreign::catalogue::QUERY as CATALOGUE_QUERY;

/// A catalogue that was taken.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TakenCatalogue {
    /// The database's name.
    pub database: String,
    /// The instant at which it was taken.
    pub taken: Timestamp,
    /// The number of tables, views and sequences.
    pub relations: usize,
    /// The number of functions.
    pub functions: usize,
}

/// Reads the catalogue of a database, and gives it as the text of a file.
pub async fn take_catalogue(url: &str) -> Result<(TakenCatalogue, String), ImportError> {
    if !is_postgres(url) {
        // The text may be a URL with a password, so no error repeats it.
        let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
        return Err(ImportError::Scheme(scheme.chars().take(20).collect()));
    }
    let mut connection = PgConnection::connect(url).await?;
    let rows = sqlx::raw_sql(QUERY).fetch_all(&mut connection).await?;
    let text: String = rows.first().map(|row| row.try_get(0)).transpose()?.unwrap_or_default();
    let catalogue =
        Catalogue::parse(&text).map_err(ImportError::read(Path::new("the shop's database")))?;
    let taken = TakenCatalogue {
        database: catalogue.database,
        taken: catalogue.taken,
        relations: catalogue.relations.len(),
        functions: catalogue.functions.len(),
    };
    Ok((taken, text))
}

/// Proposes the mapping of a log from a catalogue's file. `table` has the customers.
pub fn propose_mapping(file: &Path, table: &str) -> Result<String, ImportError> {
    let text = std::fs::read_to_string(file).map_err(ImportError::read(file))?;
    let catalogue = Catalogue::parse(&text).map_err(ImportError::read(file))?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    propose(&catalogue, table, &name).map_err(ImportError::read(file))
}

#[cfg(test)]
#[path = "catalogue_tests.rs"]
mod tests;
