//! `cofferdam incident journal`

use std::process::ExitCode;

use clap::Args;
use response_api::{ActStage, IncidentId, JournalEntry, ReadJournal, broken_journal};

use crate::options::{CommandError, ResponseArgs};
use crate::{columns, words};

/// `cofferdam incident journal`
#[derive(Debug, Args)]
pub struct JournalArgs {
    /// The incident's number; 0 for acts that belong to no incident, such as bringing a table
    incident: u32,
    #[command(flatten)]
    response: ResponseArgs,
}

/// Shows the journal. Fails when the chain is broken.
pub async fn run(args: JournalArgs) -> Result<ExitCode, CommandError> {
    let call = ReadJournal { incident: IncidentId(args.incident) };
    let entries = staff::call(&args.response.client()?, &call).await?;
    args.response.print(&entries, |entries| {
        let head = ["entry", "at", "by", "from", "act", "stage", "detail"];
        columns::listing(head, entries, row, "the journal is empty")
    })?;
    if let Some(number) = broken_journal(&entries) {
        return Err(format!(
            "the chain is broken at entry {number}: this entry, or the one before it, is not what \
             was written; keep the database as evidence"
        )
        .into());
    }
    Ok(ExitCode::SUCCESS)
}

fn row(entry: &JournalEntry) -> Vec<String> {
    let stage = match entry.stage {
        None => "",
        Some(ActStage::Intended) => "intended",
        Some(ActStage::Done) => "done",
        Some(ActStage::Failed) => "failed",
    };
    vec![
        entry.number.to_string(),
        words::instant(entry.at),
        entry.by.to_string(),
        entry.from.clone(),
        entry.action.to_string(),
        stage.to_owned(),
        entry.detail.clone(),
    ]
}
