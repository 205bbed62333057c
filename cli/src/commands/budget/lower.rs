//! `cofferdam budget lower` and `restore`

use std::process::ExitCode;

use clap::Args;
use cofferdam_core::{CallerName, Operation, Reason};
use keys_api::Budget;
use response_api::{IncidentId, LowerBudget};
use schemars::JsonSchema;
use serde::Serialize;

use crate::options::{CommandError, ResponseArgs, incident_number};
use crate::output;

/// `cofferdam budget lower`
#[derive(Debug, Args)]
pub struct LowerArgs {
    #[command(flatten)]
    of: BudgetOf,
    /// The most records in any minute
    #[arg(long, value_name = "N")]
    minute: u64,
    /// The most records in any hour
    #[arg(long, value_name = "N")]
    hour: u64,
    /// The most records in any day
    #[arg(long, value_name = "N")]
    day: u64,
}

/// `cofferdam budget restore`
#[derive(Debug, Args)]
pub struct RestoreArgs {
    #[command(flatten)]
    of: BudgetOf,
}

/// One budget of one caller.
#[derive(Debug, Args)]
struct BudgetOf {
    /// The incident's number
    #[arg(long, value_parser = incident_number)]
    incident: IncidentId,
    /// The caller, by the name in its certificate
    #[arg(long, value_name = "CALLER")]
    caller: CallerName,
    /// The operation that the budget is for: release, seal, harden, index or reseal
    #[arg(long, default_value = "release", value_parser = operation)]
    operation: Operation,
    /// The reason, without personal data; the release log keeps it
    #[arg(long, value_name = "TEXT")]
    reason: Reason,
    #[command(flatten)]
    response: ResponseArgs,
}

/// A caller's budget after the command.
#[derive(Serialize, JsonSchema)]
pub struct BudgetState {
    /// The caller whose budget was changed.
    caller: CallerName,
    /// The operation that the budget is for.
    operation: Operation,
    /// The lowered budget; nothing if the policy's budget is in force.
    lowered: Option<Budget>,
}

/// Lowers a budget of a caller until it is restored.
pub async fn lower(args: LowerArgs) -> Result<ExitCode, CommandError> {
    let LowerArgs { of, minute, hour, day } = args;
    let restore = format!(
        "to restore it: cofferdam budget restore --incident {} --caller {} --operation {} \
         --reason TEXT",
        of.incident, of.caller, of.operation
    );
    set(of, Some(Budget { minute, hour, day, burst: 0 })).await?;
    output::next(&restore);
    Ok(ExitCode::SUCCESS)
}

/// Restores the policy's budget.
pub async fn restore(args: RestoreArgs) -> Result<ExitCode, CommandError> {
    set(args.of, None).await?;
    Ok(ExitCode::SUCCESS)
}

async fn set(of: BudgetOf, lowered: Option<Budget>) -> Result<(), CommandError> {
    let BudgetOf { incident, caller, operation, reason, response } = of;
    let budget = lowered.as_ref().map(serde_json::to_value).transpose()?;
    let call = LowerBudget { incident, caller, operation, budget, reason };
    staff::call(&response.client()?, &call).await?;
    response.print(&BudgetState { caller: call.caller, operation, lowered }, |of| {
        let state =
            if of.lowered.is_some() { "is lower from now on" } else { "is the policy's again" };
        vec![format!("the {} budget of {} {state}", of.operation, of.caller)]
    })
}

fn operation(text: &str) -> Result<Operation, String> {
    let known = Operation::ALL.into_iter().find(|of| of.as_str() == text);
    known.ok_or_else(|| "an operation is release, seal, harden, index or reseal".to_owned())
}
