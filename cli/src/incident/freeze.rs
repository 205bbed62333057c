//! `cofferdam incident freeze`

use std::process::ExitCode;

use clap::Args;
use cofferdam_core::CallerName;
use cofferdam_wire::Client;
use response_api::{FreezeCaller, IncidentId};
use serde::Serialize;

use super::{Common, StepError, incident_number};
use crate::CommandError;

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

/// How the caller stands now.
#[derive(Debug, Serialize)]
struct State {
    incident: IncidentId,
    caller: CallerName,
    frozen: bool,
}

/// Freezes or thaws a caller in every compartment.
pub async fn freeze(client: &Client, call: &FreezeCaller) -> Result<(), StepError> {
    client.call(call).await.map_err(StepError::plain)
}

/// Runs the command.
pub async fn run(args: FreezeArgs) -> Result<ExitCode, CommandError> {
    let FreezeArgs { incident, caller, reason, thaw, common } = args;
    let frozen = !thaw;
    let call = FreezeCaller { incident, caller, frozen, reason };
    freeze(&common.client()?, &call).await?;
    common.print(&State { incident, caller: call.caller, frozen }, |done| {
        let state = if done.frozen { "frozen" } else { "no longer frozen" };
        vec![format!("{} is {state} in keys, accounts and payments", done.caller)]
    })?;
    Ok(ExitCode::SUCCESS)
}
