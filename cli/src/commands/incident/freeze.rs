//! `cofferdam incident freeze` and `thaw`

use std::io::{BufRead as _, IsTerminal as _};
use std::process::ExitCode;

use clap::Args;
use cofferdam_core::{CallerName, Reason};
use response_api::{CallerHolds, FreezeCaller, IncidentId, ThawedKey};
use schemars::JsonSchema;
use serde::Serialize;

use crate::options::{CommandError, IncidentArgs};
use crate::output;

/// `cofferdam incident thaw`
#[derive(Debug, Args)]
pub struct ThawArgs {
    #[command(flatten)]
    of: FreezeArgs,
    /// The caller has a new key, and the old one was revoked
    #[arg(long, conflicts_with = "same_key")]
    key_changed: bool,
    /// The caller has the same key, and nobody else can have it
    #[arg(long)]
    same_key: bool,
}

/// `cofferdam incident freeze`, and what `thaw` shares with it
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

/// Freezes a caller in every compartment.
pub async fn freeze(args: FreezeArgs) -> Result<ExitCode, CommandError> {
    run(args, None).await
}

/// Thaws a caller in every compartment.
pub async fn thaw(args: ThawArgs) -> Result<ExitCode, CommandError> {
    let key = match (args.key_changed, args.same_key) {
        (true, _) => ThawedKey::Changed,
        (_, true) => ThawedKey::Same,
        (false, false) => ask_key(&args.of.caller)?,
    };
    run(args.of, Some(key)).await
}

/// Asks whether the caller has a new key. A thief who copied the old one is let in with the caller.
fn ask_key(caller: &CallerName) -> Result<ThawedKey, CommandError> {
    if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        return Err(
            "nothing was done: say whether the caller has a new key, with --key-changed or \
                    --same-key"
                .into(),
        );
    }
    output::note(&format!("A thief who copied the key of {caller} comes back with {caller}."));
    output::ask("Has it a new key, and was the old one revoked? Type yes or no: ");
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    match answer.trim() {
        "yes" => Ok(ThawedKey::Changed),
        "no" => Ok(ThawedKey::Same),
        _ => Err("nothing was done".into()),
    }
}

async fn run(args: FreezeArgs, key: Option<ThawedKey>) -> Result<ExitCode, CommandError> {
    let FreezeArgs { of, caller, reason } = args;
    let (incident, frozen) = (of.incident, key.is_none());
    let call = FreezeCaller { incident, caller, frozen, reason, key };
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
