//! `cofferdam incident freeze` and `thaw`

use std::io::{BufRead as _, IsTerminal as _};
use std::process::ExitCode;

use clap::Args;
use cofferdam_core::{CallerName, Clock as _, Reason, SystemClock};
use cofferdam_wire::Client;
use response_api::{CallerHolds, FreezeCaller, IncidentId, ThawedKey};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use staff::order::sign_alone;
use staff::thaw;

use crate::approver::ApproverArgs;
use crate::options::{CommandError, IncidentArgs, ResponseArgs};
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
    #[command(flatten)]
    signed: ApproverArgs,
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
    let (incident, response) = (args.of.incident, &args.of.response);
    let state = give(response, args.call(None, None)).await?;
    response.print(&state, |state| vec![line(state)])?;
    output::next(&format!("cofferdam incident scope {incident}"));
    Ok(ExitCode::SUCCESS)
}

/// Lets go of a caller. It is thawed in every compartment if no other incident holds it.
pub async fn thaw(args: ThawArgs) -> Result<ExitCode, CommandError> {
    let key = match (args.key_changed, args.same_key) {
        (true, _) => ThawedKey::Changed,
        (_, true) => ThawedKey::Same,
        (false, false) => ask_key(&args.of.caller)?,
    };
    let response = &args.of.of.response;
    let order = signed(&args, &response.client()?).await?;
    let state = give(response, args.of.call(Some(key), order)).await?;
    response.print(&state, |state| vec![line(state)])?;
    Ok(ExitCode::SUCCESS)
}

/// The order that ends the incident's hold, signed by the approver; `None` if `keys` has no such hold.
async fn signed(args: &ThawArgs, client: &Client) -> Result<Option<Value>, CommandError> {
    let FreezeArgs { of, caller, reason } = &args.of;
    let now = SystemClock.now();
    let draft = thaw::draft(client, of.incident, caller.clone(), reason.clone(), now).await?;
    let Some(order) = draft else { return Ok(None) };
    let key = args.signed.key(client, "a thaw").await?;
    Ok(Some(sign_alone(order, &key)?))
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

impl FreezeArgs {
    fn call(&self, key: Option<ThawedKey>, order: Option<Value>) -> FreezeCaller {
        let Self { of, caller, reason } = self;
        let (caller, reason) = (caller.clone(), reason.clone());
        FreezeCaller { incident: of.incident, caller, frozen: key.is_none(), reason, key, order }
    }
}

async fn give(response: &ResponseArgs, call: FreezeCaller) -> Result<CallerState, CommandError> {
    let CallerHolds { frozen, held_by } = staff::call(&response.client()?, &call).await?;
    Ok(CallerState { incident: call.incident, caller: call.caller, frozen, held_by })
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
