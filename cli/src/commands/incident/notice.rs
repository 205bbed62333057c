//! `cofferdam incident notice`

use std::process::ExitCode;

use clap::Args;
use response_api::PublishNotice;

use crate::confirm::Confirm;
use crate::options::{CommandError, IncidentArgs};
use crate::output;

/// `cofferdam incident notice`
#[derive(Debug, Args)]
pub struct NoticeArgs {
    #[command(flatten)]
    of: IncidentArgs,
    #[command(flatten)]
    confirm: Confirm,
}

/// Publishes the notice after a question.
pub async fn run(args: NoticeArgs) -> Result<ExitCode, CommandError> {
    let NoticeArgs { of, confirm } = args;
    let (client, incident) = (of.response.client()?, of.incident);
    confirm.ask(&[format!(
        "publish the notice of incident {incident}, with its last scope: everybody can read it"
    )])?;
    let notice = staff::call(&client, &PublishNotice { incident }).await?;
    of.response.print(&notice, |notice| {
        vec![format!("published: {}", notice.url), format!("SHA-256: {}", notice.sha256)]
    })?;
    output::next(&format!("cofferdam incident report {incident} --out FILE.html"));
    Ok(ExitCode::SUCCESS)
}
