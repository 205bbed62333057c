//! `cofferdam evidence export`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use cofferdam_core::{Clock, SystemClock};
use response_api::IncidentId;
use staff::evidence::export;

use crate::options::{CommandError, ResponseArgs, check_new, incident_number};
use crate::output::{self, Progress};
use crate::words;

/// `cofferdam evidence export`
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The incident's number; the incident must have been scoped
    #[arg(long, value_parser = incident_number)]
    incident: IncidentId,
    /// The directory for the bag; it must not exist
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    response: ResponseArgs,
}

/// Writes the bag of evidence, and has `response` seal it.
pub async fn run(args: ExportArgs) -> Result<ExitCode, CommandError> {
    let ExportArgs { incident, out, response } = args;
    check_new(&out)?;
    let mut bar = Progress::new("entries of the log");
    let progress = &mut |done, total| bar.set(done, total);
    let exported = export(&response.client()?, incident, &out, SystemClock.now(), progress).await?;
    drop(bar);
    response.print(&exported, |exported| {
        let entries = words::number(exported.entries);
        vec![format!("{}: sealed, with {entries} entries of the log", out.display())]
    })?;
    output::next(&format!("cofferdam evidence verify {} --key {}", out.display(), exported.key));
    Ok(ExitCode::SUCCESS)
}
