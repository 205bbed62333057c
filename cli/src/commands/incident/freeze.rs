//! `cofferdam incident freeze` and `thaw`

use std::process::ExitCode;

use clap::Args;
use cofferdam_core::{CallerName, Reason};
use response_api::{CallerHolds, FreezeCaller, IncidentId};
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
    reason: Reason,
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
    /// The incidents that hold the caller frozen.
    held_by: Vec<IncidentId>,
}

/// Freezes or thaws a caller in every compartment.
pub async fn run(args: FreezeArgs, frozen: bool) -> Result<ExitCode, CommandError> {
    let FreezeArgs { of, caller, reason } = args;
    let incident = of.incident;
    let call = FreezeCaller { incident, caller, frozen, reason };
    let CallerHolds { frozen: still, held_by } = staff::call(&of.response.client()?, &call).await?;
    let state = CallerState { incident, caller: call.caller, frozen: still, held_by };
    of.response.print(&state, |state| vec![line(state)])?;
    if frozen {
        output::next(&format!("cofferdam incident scope {incident}"));
    }
    Ok(ExitCode::SUCCESS)
}

fn line(state: &CallerState) -> String {
    let CallerState { incident, caller, frozen, held_by } = state;
    let places = "keys, accounts and payments";
    if *frozen && !held_by.contains(incident) {
        let others: Vec<_> = held_by.iter().map(|of| format!("incident {of}")).collect();
        let others = others.join(" and ");
        return format!("{caller} is still frozen in {places}: {others} holds it");
    }
    let state = if *frozen { "frozen" } else { "no longer frozen" };
    format!("{caller} is {state} in {places}")
}
