//! `cofferdam incident journal`

use std::process::ExitCode;

use clap::Args;
use response_api::{IncidentId, JournalEntry, ReadJournal, broken_journal};
use staff::printable;

use crate::command::{CommandError, Common, incident_number};
use crate::table;

/// `cofferdam incident journal`
#[derive(Debug, Args)]
pub struct JournalArgs {
    /// The incident's number
    #[arg(value_parser = incident_number)]
    incident: IncidentId,
    #[command(flatten)]
    common: Common,
}

/// Shows the journal. Fails when the chain is broken.
pub async fn run(args: JournalArgs) -> Result<ExitCode, CommandError> {
    let call = ReadJournal { incident: args.incident };
    let entries = staff::call(&args.common.client()?, &call).await?;
    args.common.print(&entries, |entries| table::lines(&rows(entries)))?;
    if let Some(number) = broken_journal(&entries) {
        return Err(format!(
            "the chain is broken at entry {number}: this entry, or the one before it, is not what \
             was written; keep the database as evidence"
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
            printable(&entry.from),
            printable(&entry.action),
            printable(&entry.detail),
        ]
    };
    entries.iter().map(row).collect()
}
