//! `cofferdam incident budget`

use std::process::ExitCode;

use clap::Args;
use cofferdam_core::{CallerName, Operation};
use keys_api::Budget;
use response_api::{IncidentId, LowerBudget};

use crate::command::{CommandError, Common, incident_number};
use crate::output;

/// `cofferdam incident budget`
#[derive(Debug, Args)]
pub struct BudgetArgs {
    /// The incident's number
    #[arg(value_parser = incident_number)]
    incident: IncidentId,
    /// Whose budget
    #[arg(long, value_name = "CALLER")]
    caller: CallerName,
    /// For what: release, seal, harden or index
    #[arg(long, default_value = "release", value_parser = operation)]
    operation: Operation,
    /// Records in any minute
    #[arg(long, value_name = "N", required_unless_present = "restore")]
    minute: Option<u64>,
    /// Records in any hour
    #[arg(long, value_name = "N", required_unless_present = "restore")]
    hour: Option<u64>,
    /// Records in any day
    #[arg(long, value_name = "N", required_unless_present = "restore")]
    day: Option<u64>,
    /// Give the policy's budget back
    #[arg(long, conflicts_with_all = ["minute", "hour", "day"])]
    restore: bool,
    /// Why, without personal data: it stands in the release log
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    common: Common,
}

/// Lowers a budget or restores it.
pub async fn run(args: BudgetArgs) -> Result<ExitCode, CommandError> {
    let BudgetArgs { incident, caller, operation, minute, hour, day, restore, reason, common } =
        args;
    let budget = match (restore, minute, hour, day) {
        (false, Some(minute), Some(hour), Some(day)) => {
            Some(serde_json::to_value(Budget { minute, hour, day, burst: 0 })?)
        }
        _ => None,
    };
    let call = LowerBudget { incident, caller, operation, budget, reason };
    staff::call(&common.client()?, &call).await?;
    let state = if restore { "is the policy's again" } else { "is lower from now on" };
    output::line(&format!("the {operation} budget of {} {state}", call.caller));
    Ok(ExitCode::SUCCESS)
}

fn operation(text: &str) -> Result<Operation, String> {
    let known = Operation::ALL.into_iter().find(|of| of.as_str() == text);
    known.ok_or_else(|| "an operation is release, seal, harden, index or reseal".to_owned())
}
