//! `cofferdam budget lower` and `restore`

use std::process::ExitCode;

use clap::Args;
use cofferdam_core::{CallerName, Clock as _, Operation, Reason, SystemClock};
use keys_api::Budget;
use response_api::{IncidentId, LowerBudget};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use staff::order::sign_alone;
use staff::restore;

use crate::approver::ApproverArgs;
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
    #[command(flatten)]
    signed: ApproverArgs,
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
    /// The operation that the budget is for, such as release, seal or attest
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
         --reason TEXT --approver NAME=KEYFILE",
        of.incident, of.caller, of.operation
    );
    let lowered = Budget { minute, hour, day, burst: 0 };
    let budget = Some(serde_json::to_value(lowered)?);
    let response = of.response.client()?;
    staff::call(&response, &of.call(budget, None)).await?;
    of.print(Some(lowered))?;
    output::next(&restore);
    Ok(ExitCode::SUCCESS)
}

/// Gives the policy's budget back, by orders that an approver signs here.
pub async fn restore(args: RestoreArgs) -> Result<ExitCode, CommandError> {
    let RestoreArgs { of, signed } = args;
    let response = of.response.client()?;
    let budget = (&of.caller, of.operation);
    let orders = restore::draft(&response, budget, &of.reason, SystemClock.now()).await?;
    if orders.is_empty() {
        let what =
            format!("nothing was done: the {} budget of {} is the policy's", budget.1, budget.0);
        return Err(what.into());
    }
    let key = signed.key(&response, "giving a budget back").await?;
    for order in orders {
        staff::call(&response, &of.call(None, Some(sign_alone(order, &key)?))).await?;
    }
    of.print(None)?;
    Ok(ExitCode::SUCCESS)
}

impl BudgetOf {
    fn call(&self, budget: Option<Value>, order: Option<Value>) -> LowerBudget {
        let (caller, reason) = (self.caller.clone(), self.reason.clone());
        let (incident, operation) = (self.incident, self.operation);
        LowerBudget { incident, caller, operation, budget, order, reason }
    }

    fn print(&self, lowered: Option<Budget>) -> Result<(), CommandError> {
        let (caller, operation) = (self.caller.clone(), self.operation);
        self.response.print(&BudgetState { caller, operation, lowered }, |of| {
            let state =
                if of.lowered.is_some() { "is lower from now on" } else { "is the policy's again" };
            vec![format!("the {} budget of {} {state}", of.operation, of.caller)]
        })
    }
}

fn operation(text: &str) -> Result<Operation, String> {
    let known = Operation::ALL.into_iter().find(|of| of.as_str() == text);
    let names = Operation::ALL.map(Operation::as_str).join(", ");
    known.ok_or_else(|| format!("an operation is one of {names}"))
}
