//! `cofferdam incident freeze`

use std::process::ExitCode;

use clap::Args;
use cofferdam_core::CallerName;
use response_api::{FreezeCaller, IncidentId};
use serde::Serialize;

use crate::command::{CommandError, Common, incident_number};

/// `cofferdam incident freeze`
#[derive(Debug, Args)]
pub struct FreezeArgs {
    /// The incident's number
    #[arg(value_parser = incident_number)]
    incident: IncidentId,
    /// Whom to freeze
    #[arg(long, value_name = "CALLER")]
    caller: CallerName,
    /// Why, without personal data: it stands in the release log
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Take a freeze back
    #[arg(long)]
    thaw: bool,
    #[command(flatten)]
    common: Common,
}

/// The caller's state after the command.
#[derive(Debug, Serialize)]
struct State {
    incident: IncidentId,
    caller: CallerName,
    frozen: bool,
}

/// Freezes or thaws a caller in every compartment.
pub async fn run(args: FreezeArgs) -> Result<ExitCode, CommandError> {
    let FreezeArgs { incident, caller, reason, thaw, common } = args;
    let frozen = !thaw;
    let call = FreezeCaller { incident, caller, frozen, reason };
    staff::call(&common.client()?, &call).await?;
    common.print(&State { incident, caller: call.caller, frozen }, |done| {
        let state = if done.frozen { "frozen" } else { "no longer frozen" };
        vec![format!("{} is {state} in keys, accounts and payments", done.caller)]
    })?;
    Ok(ExitCode::SUCCESS)
}
