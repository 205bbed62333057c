//! `cofferdam access-log remove`

use std::process::ExitCode;

use clap::Args;
use response_api::{ListAccessLogs, RemoveAccessLog};
use staff::printable;

use super::lines;
use crate::confirm::Confirm;
use crate::options::{CommandError, ResponseArgs};
use crate::output;

/// `cofferdam access-log remove`
#[derive(Debug, Args)]
pub struct RemoveArgs {
    /// The access log's SHA-256, as `access-log list` shows it
    log: String,
    #[command(flatten)]
    confirm: Confirm,
    #[command(flatten)]
    response: ResponseArgs,
}

/// Removes a log that was brought.
pub async fn run(args: RemoveArgs) -> Result<ExitCode, CommandError> {
    let RemoveArgs { log, confirm, response } = args;
    let client = response.client()?;
    let all = staff::call(&client, &ListAccessLogs {}).await?;
    let mut step = vec!["remove this access log; no later scope counts it:".to_owned()];
    match all.iter().find(|of| of.log == log) {
        Some(found) => step.extend(lines::brought(found)),
        // The import of a log that is not listed was not finished.
        None => step.push(printable(&log)),
    }
    confirm.ask(&step)?;
    staff::call(&client, &RemoveAccessLog { log: log.clone() }).await?;
    response.print(&log, |log| vec![format!("{} is removed", printable(log))])?;
    output::next("cofferdam incident scope INCIDENT");
    Ok(ExitCode::SUCCESS)
}
