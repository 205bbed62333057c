//! `cofferdam incident journal`

use std::process::ExitCode;

use clap::Args;
use cofferdam_wire::Client;
use response_api::{IncidentId, JournalEntry, ReadJournal, broken_journal};

use super::{Common, StepError, incident_number, table};
use crate::CommandError;

/// `cofferdam incident journal`
#[derive(Debug, Args)]
pub struct JournalArgs {
    /// The incident's number
    #[arg(value_parser = incident_number)]
    incident: IncidentId,
    #[command(flatten)]
    common: Common,
}

/// Reads the journal, oldest first.
pub async fn journal(
    client: &Client,
    incident: IncidentId,
) -> Result<Vec<JournalEntry>, StepError> {
    client.call(&ReadJournal { incident }).await.map_err(StepError::plain)
}

/// Runs the command; fails when the chain is broken.
pub async fn run(args: JournalArgs) -> Result<ExitCode, CommandError> {
    let entries = journal(&args.common.client()?, args.incident).await?;
    args.common.print(&entries, |entries| table::lines(&rows(entries)))?;
    if let Some(number) = broken_journal(&entries) {
        return Err(format!(
            "the chain is broken at entry {number}: it, or the one before, is not what was \
             written; keep the database as evidence"
        )
        .into());
    }
    Ok(ExitCode::SUCCESS)
}

fn rows(entries: &[JournalEntry]) -> Vec<Vec<String>> {
    let row = |entry: &JournalEntry| {
        vec![
            entry.number.to_string(),
            table::instant(entry.at),
            entry.by.to_string(),
            table::printable(&entry.from),
            table::printable(&entry.action),
            table::printable(&entry.detail),
        ]
    };
    entries.iter().map(row).collect()
}
