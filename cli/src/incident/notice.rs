//! `cofferdam incident notice`

use std::process::ExitCode;

use clap::Args;
use cofferdam_wire::Client;
use response_api::{IncidentId, Notice, PublishNotice};

use super::error::scope_first;
use super::{Common, StepError, incident_number};
use crate::CommandError;

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
pub async fn publish(client: &Client, incident: IncidentId) -> Result<Notice, StepError> {
    let published = client.call(&PublishNotice { incident }).await;
    published.map_err(|e| StepError::of(e, scope_first(incident)))
}

/// Runs the command.
pub async fn run(args: NoticeArgs) -> Result<ExitCode, CommandError> {
    let notice = publish(&args.common.client()?, args.incident).await?;
    args.common.print(&notice, |notice| {
        vec![format!("published: {}", notice.url), format!("SHA-256: {}", notice.sha256)]
    })?;
    Ok(ExitCode::SUCCESS)
}
