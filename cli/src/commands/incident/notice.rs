//! `cofferdam incident notice`

use std::process::ExitCode;

use clap::Args;
use response_api::IncidentId;
use staff::incident::publish_notice;

use crate::command::{CommandError, Common, incident_number};

/// `cofferdam incident notice`
#[derive(Debug, Args)]
pub struct NoticeArgs {
    /// The incident's number
    #[arg(value_parser = incident_number)]
    incident: IncidentId,
    #[command(flatten)]
    common: Common,
}

/// Publishes the notice.
pub async fn run(args: NoticeArgs) -> Result<ExitCode, CommandError> {
    let notice = publish_notice(&args.common.client()?, args.incident).await?;
    args.common.print(&notice, |notice| {
        vec![format!("published: {}", notice.url), format!("SHA-256: {}", notice.sha256)]
    })?;
    Ok(ExitCode::SUCCESS)
}
