//! `cofferdam import …`: brings the customers of an older shop in, or its table and logs for the
//! day of an incident.
//!
//! A file of customers is read once from end to end in batches, two of which are on their way at a time. It is
//! known to `accounts` by its digest, so that a second run goes on where the first one stopped; a
//! file that was changed meanwhile is another file.

mod access_log;
mod lines;
mod pages;
mod reader;
mod rejects;
mod roster;
mod rows;
mod send;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use accounts_api::ReadImport;
use clap::{Args, Subcommand};
use cofferdam_core::CallerName;
use cofferdam_wire::{CallError, Client};
use serde::Serialize;

use crate::CommandError;
use crate::connect::Estate;
use crate::output::{self, Progress};

use reader::Source;
use rejects::RejectsFile;
pub use rows::COLUMNS;

/// `cofferdam import`
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// Import customers from a CSV file; run again, it goes on where it stopped
    Customers(ImportCustomersArgs),
    /// Bring the shop's own table of customers, for incidents about it
    Roster(roster::RosterArgs),
    /// Bring other systems' logs of who read customers' data
    AccessLog(access_log::AccessLogArgs),
    /// The access logs that were brought
    #[command(subcommand)]
    AccessLogs(access_log::AccessLogsCommand),
}

/// What `cofferdam import customers` takes.
#[derive(Debug, Args)]
pub struct ImportCustomersArgs {
    /// A CSV file with the header row
    /// `name,email,phone,billing_address,shipping_address,card_last4,country,region,language,minor,password_scheme,password_salt,password_hash`
    /// in any order; the hash in hexadecimal
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The estate's directory
    #[arg(long, value_name = "DIR", default_value = "./estate")]
    dir: PathBuf,
    /// The caller whose certificate is shown
    #[arg(long = "as", value_name = "CALLER", default_value = "import-1")]
    caller: CallerName,
    /// Where rows that were not imported are listed, by line and reason [default: FILE.rejects.csv]
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

/// What an import came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ImportSummary {
    /// SHA-256 of the file, hexadecimal: its name at `accounts`.
    pub source: String,
    /// Customers made by this run.
    pub created: u64,
    /// Rows that an earlier run had imported.
    pub already_there: u64,
    /// Rows that were not imported, by this or an earlier run.
    pub rejected: u64,
    /// Where they are listed.
    pub rejects: PathBuf,
    /// How long this run took.
    pub seconds: f64,
}

/// Why an import stopped. What was imported stays; the same command goes on from there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The file can't be read as what it should be.
    #[error(transparent)]
    Source(#[from] reader::SourceError),
    /// The list of rejects can't be written.
    #[error("{}: {source}", path.display())]
    Rejects {
        /// The list.
        path: PathBuf,
        /// What the system says.
        source: csv::Error,
    },
    /// `accounts` refused, or does not answer.
    #[error("accounts: {0}; what was imported stays, the same command goes on from there")]
    Call(#[from] CallError),
    /// `accounts` answered for other rows than it was sent.
    #[error("accounts answered for other rows than it was sent")]
    Mismatch,
}

/// Runs one of the commands.
pub async fn run(command: ImportCommand) -> Result<ExitCode, CommandError> {
    let args = match command {
        ImportCommand::Customers(args) => args,
        ImportCommand::Roster(args) => return roster::run(args).await,
        ImportCommand::AccessLog(args) => return access_log::run(args).await,
        ImportCommand::AccessLogs(command) => return access_log::run_logs(command).await,
    };
    let client = Estate::open(&args.dir)?.accounts(&args.caller)?;
    let rejects = args.rejects.unwrap_or_else(|| default_rejects(&args.file));
    let summary = import_customers(&client, &args.file, &rejects).await?;
    if args.json {
        output::json(&summary)?;
    } else {
        print(&summary);
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads a mapping; what is wrong with it is said with its place.
fn mapping<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, CommandError> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    toml::from_str(&text).map_err(|e| format!("{}: {e}", path.display()).into())
}

/// `FILE.rejects.csv`
fn default_rejects(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".rejects.csv");
    name.into()
}

fn print(summary: &ImportSummary) {
    let ImportSummary { created, already_there, rejected, rejects, seconds, .. } = summary;
    output::line(&format!("created        {created}"));
    output::line(&format!("already there  {already_there}"));
    output::line(&format!("rejected       {rejected}  see {}", rejects.display()));
    output::line(&format!("seconds        {seconds:.1}"));
}

/// Imports the customers in `file` through `client`, a client of `accounts`, and lists the rows
/// that were not imported in `rejects`.
pub async fn import_customers(
    client: &Client,
    file: &Path,
    rejects: &Path,
) -> Result<ImportSummary, ImportError> {
    import(client, file, rejects, send::IN_FLIGHT, &mut |_, _| ()).await
}

/// The same with one batch at a time, so that record numbers follow the lines of the file;
/// `created` hears which line became which customer.
pub async fn import_in_order(
    client: &Client,
    file: &Path,
    rejects: &Path,
    created: send::Created<'_>,
) -> Result<ImportSummary, ImportError> {
    import(client, file, rejects, 1, created).await
}

async fn import(
    client: &Client,
    file: &Path,
    rejects: &Path,
    in_flight: usize,
    created: send::Created<'_>,
) -> Result<ImportSummary, ImportError> {
    let started = Instant::now();
    let source = Source::open(file).await?;
    let state = client.call(&ReadImport { source: source.digest().to_owned() }).await?;
    // Without the list of what was rejected so far, everything is sent again: that costs time and
    // nothing else.
    let done = if rejects.exists() { state.done_to_line } else { 0 };
    let (reader, skipped) = source.resume(done).await?;
    let list = RejectsFile::open(rejects, skipped.up_to_line)?;

    let progress = Progress::new("importing customers", source.lines());
    let mut sending = send::Sending::new(client, source.digest(), list, progress, created);
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
