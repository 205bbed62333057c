//! `cofferdam access-log list`

use std::process::ExitCode;

use clap::Args;
use response_api::ListAccessLogs;

use super::lines;
use crate::options::{CommandError, ResponseArgs};

/// `cofferdam access-log list`
#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    response: ResponseArgs,
}

/// Lists the logs that were brought.
pub async fn run(args: ListArgs) -> Result<ExitCode, CommandError> {
    let logs = staff::call(&args.response.client()?, &ListAccessLogs {}).await?;
    args.response.print(&logs, |logs| {
        if logs.is_empty() {
            return vec!["no access log was brought".to_owned()];
        }
        logs.iter().flat_map(lines::brought).collect()
    })?;
    Ok(ExitCode::SUCCESS)
}
