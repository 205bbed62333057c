//! `cofferdam incident freeze` and `thaw`

use std::process::ExitCode;

use clap::Args;
use cofferdam_core::CallerName;
use response_api::{FreezeCaller, IncidentId};
use schemars::JsonSchema;
use serde::Serialize;

use crate::options::{CommandError, IncidentArgs};
use crate::output;

/// `cofferdam incident freeze` and `thaw`
#[derive(Debug, Args)]
pub struct FreezeArgs {
    #[command(flatten)]
    of: IncidentArgs,
    /// The caller, by the name in its certificate
    #[arg(long, value_name = "CALLER")]
    caller: CallerName,
    /// The reason, without personal data; the release log keeps it
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// A caller's state after the command.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CallerState {
    /// The incident for which the caller is frozen or thawed.
    incident: IncidentId,
    /// The caller's name in its certificate.
    caller: CallerName,
    /// Whether `keys`, `accounts` and `payments` refuse the caller.
    frozen: bool,
}

/// Freezes or thaws a caller in every compartment.
pub async fn run(args: FreezeArgs, frozen: bool) -> Result<ExitCode, CommandError> {
    let FreezeArgs { of, caller, reason } = args;
    let incident = of.incident;
    let call = FreezeCaller { incident, caller, frozen, reason };
    staff::call(&of.response.client()?, &call).await?;
    of.response.print(&CallerState { incident, caller: call.caller, frozen }, |done| {
        let state = if done.frozen { "frozen" } else { "no longer frozen" };
        vec![format!("{} is {state} in keys, accounts and payments", done.caller)]
    })?;
    if frozen {
        output::next(&format!("cofferdam incident scope {incident}"));
    }
    Ok(ExitCode::SUCCESS)
}
