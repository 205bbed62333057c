//! Importing a file of customers into `accounts`.
//!
//! The file is read once from end to end, in batches. Two batches are under way at a time.
//! `accounts` knows the file by its digest, so a second run continues the first one. A file that
//! was changed meanwhile is another file.

use std::path::{Path, PathBuf};
use std::time::Instant;

use accounts_api::ReadImport;
use cofferdam_wire::Client;
use schemars::JsonSchema;
use serde::Serialize;

use super::error::ImportError;
use super::reader::{IN_FLIGHT, Source};
use super::rejects::RejectsFile;
use super::send::{Created, Sending};
use crate::Progress;

/// The outcome of an import.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ImportSummary {
    /// SHA-256 of the file, hexadecimal: the file's name at `accounts`.
    pub source: String,
    /// Customers made by this run.
    pub created: u64,
    /// Rows that an earlier run had imported.
    pub already_there: u64,
    /// Rows that neither this run nor an earlier one imported.
    pub rejected: u64,
    /// The file that lists the rejected rows.
    pub rejects: PathBuf,
    /// The duration of this run, in seconds.
    pub seconds: f64,
}

/// The list of rejects for a file by default: `FILE.rejects.csv`.
#[must_use]
pub fn default_rejects(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".rejects.csv");
    name.into()
}

/// Imports the customers in `file` through a client of `accounts`, and lists in `rejects` the rows
/// that are not imported. `progress` sees the last line that was imported.
pub async fn import_customers(
    client: &Client,
    file: &Path,
    rejects: &Path,
    progress: Progress<'_>,
) -> Result<ImportSummary, ImportError> {
    import(client, file, rejects, IN_FLIGHT, &mut |_, _| (), progress).await
}

/// Imports with one batch at a time, so that record numbers follow the lines of the file. `created`
/// sees each line with the customer that it became.
pub async fn import_in_order(
    client: &Client,
    file: &Path,
    rejects: &Path,
    created: Created<'_>,
    progress: Progress<'_>,
) -> Result<ImportSummary, ImportError> {
    import(client, file, rejects, 1, created, progress).await
}

async fn import(
    client: &Client,
    file: &Path,
    rejects: &Path,
    in_flight: usize,
    created: Created<'_>,
    progress: Progress<'_>,
) -> Result<ImportSummary, ImportError> {
    let started = Instant::now();
    let source = Source::open(file).await?;
    let state = client.call(&ReadImport { source: source.digest().to_owned() }).await;
    let state = state.map_err(ImportError::Accounts)?;
    // If the list of rejects is gone, everything is sent again. Rows that are there already do no
    // harm.
    let done = if rejects.exists() { state.done_to_line } else { 0 };
    let (reader, skipped) = source.resume(done).await?;
    let list = RejectsFile::open(rejects, skipped.up_to_line)?;

    let lines = source.lines();
    let progress = &mut |line| progress(line, lines);
    let mut sending = Sending::new(client, source.digest(), list, created, progress);
    sending.keep_in_flight(in_flight);
    sending.count_skipped(skipped.rows);
    let counts = sending.run(reader).await?;
    Ok(ImportSummary {
        source: source.digest().to_owned(),
        created: counts.created,
        already_there: counts.already_there,
        rejected: counts.rejected,
        rejects: rejects.to_owned(),
        seconds: started.elapsed().as_secs_f64(),
    })
}

#[cfg(test)]
#[path = "customers_tests.rs"]
mod tests;
