//! `cofferdam evidence export`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use cofferdam_core::{Clock, SystemClock};
use response_api::IncidentId;
use staff::evidence::export;

use crate::command::{CommandError, Common, incident_number};
use crate::output::Progress;

/// `cofferdam evidence export`
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The incident's number, which must have been scoped
    #[arg(value_parser = incident_number)]
    incident: IncidentId,
    /// The bag's directory, which must not exist
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    common: Common,
}

/// Writes the bag.
pub async fn run(args: ExportArgs) -> Result<ExitCode, CommandError> {
    let ExportArgs { incident, out, common } = args;
    let mut bar = Progress::new("entries of the log");
    let progress = &mut |done, total| bar.set(done, total);
    let exported = export(&common.client()?, incident, &out, SystemClock.now(), progress).await?;
    drop(bar);
    common.print(&exported, |exported| {
        let out = out.display();
        vec![
            format!("{out}: sealed, with {} entries of the log", exported.entries),
            format!("verify it with: cofferdam evidence verify {out} --key {}", exported.key),
        ]
    })?;
    Ok(ExitCode::SUCCESS)
}
