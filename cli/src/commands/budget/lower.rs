//! `cofferdam budget lower` and `restore`

use std::process::ExitCode;

use clap::Args;
use cofferdam_core::{CallerName, Clock as _, Operation, Reason, SystemClock};
use cofferdam_wire::Client;
use keys_api::{Budget, CallerStatus};
use response_api::{IncidentId, LowerBudget};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use staff::keys::callers;
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
    /// The operation that the budget is for, such as seal or attest; left out, the one by which the
    /// caller reads fields
    #[arg(long, value_parser = operation)]
    operation: Option<Operation>,
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
    let response = of.response.client()?;
    let operation = of.operation(&response).await?;
    let lowered = Budget { minute, hour, day, burst: 0 };
    let budget = Some(serde_json::to_value(lowered)?);
    staff::call(&response, &of.call(operation, budget, None)).await?;
    of.print(operation, Some(lowered))?;
    output::next(&format!(
        "to restore it: cofferdam budget restore --incident {} --caller {} --operation {operation} \
         --reason TEXT --approver NAME=KEYFILE",
        of.incident, of.caller
    ));
    Ok(ExitCode::SUCCESS)
}

/// Gives the policy's budget back, by orders that an approver signs here.
pub async fn restore(args: RestoreArgs) -> Result<ExitCode, CommandError> {
    let RestoreArgs { of, signed } = args;
    let response = of.response.client()?;
    let operation = of.operation(&response).await?;
    let budget = (&of.caller, operation);
    let orders = restore::draft(&response, budget, &of.reason, SystemClock.now()).await?;
    if orders.is_empty() {
        let caller = &of.caller;
        let what = format!("nothing was done: the {operation} budget of {caller} is the policy's");
        return Err(what.into());
    }
    let key = signed.key(&response, "giving a budget back").await?;
    for order in orders {
        staff::call(&response, &of.call(operation, None, Some(sign_alone(order, &key)?))).await?;
    }
    of.print(operation, None)?;
    Ok(ExitCode::SUCCESS)
}

impl BudgetOf {
    /// The operation that the command names, or else the one by which the caller reads fields.
    async fn operation(&self, response: &Client) -> Result<Operation, CommandError> {
        if let Some(named) = self.operation {
            return Ok(named);
        }
        let callers = callers(response).await?;
        let caller = callers.iter().find(|of| of.caller == self.caller);
        let caller = caller.ok_or_else(|| format!("the policy names no caller {}", self.caller))?;
        Ok(operation_of_reads(caller)?)
    }

    fn call(
        &self,
        operation: Operation,
        budget: Option<Value>,
        order: Option<Value>,
    ) -> LowerBudget {
        let (caller, reason) = (self.caller.clone(), self.reason.clone());
        LowerBudget { incident: self.incident, caller, operation, budget, order, reason }
    }

    fn print(&self, operation: Operation, lowered: Option<Budget>) -> Result<(), CommandError> {
        let caller = self.caller.clone();
        self.response.print(&BudgetState { caller, operation, lowered }, |of| {
            let state =
                if of.lowered.is_some() { "is lower from now on" } else { "is the policy's again" };
            vec![format!("the {} budget of {} {state}", of.operation, of.caller)]
        })
    }
}

/// The one operation by which a caller reads fields.
fn operation_of_reads(caller: &CallerStatus) -> Result<Operation, String> {
    let reads = [Operation::Release, Operation::ReleasePresent];
    let mut reads = reads.into_iter().filter(|of| caller.budgets.contains_key(of));
    if let (Some(only), None) = (reads.next(), reads.next()) {
        return Ok(only);
    }
    let budgets: Vec<_> = caller.budgets.keys().map(|of| of.as_str()).collect();
    let (name, budgets) = (&caller.caller, budgets.join(", "));
    Err(format!("--operation: name one; {name} has budgets for: {budgets}"))
}

fn operation(text: &str) -> Result<Operation, String> {
    let known = Operation::ALL.into_iter().find(|of| of.as_str() == text);
    let names = Operation::ALL.map(Operation::as_str).join(", ");
    known.ok_or_else(|| format!("an operation is one of {names}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn the_operation_of_reads_is_found_only_if_there_is_one() {
        let budget = Budget { minute: 1, hour: 1, day: 1, burst: 0 };
        let found = |has: &[Operation]| {
            let budgets: BTreeMap<_, _> = has.iter().map(|of| (*of, budget)).collect();
            operation_of_reads(&caller(budgets))
        };
        assert_eq!(found(&[Operation::Seal, Operation::Release]), Ok(Operation::Release));
        assert_eq!(found(&[Operation::ReleasePresent]), Ok(Operation::ReleasePresent));
        for unclear in [&[Operation::Seal][..], &[Operation::Release, Operation::ReleasePresent]] {
            assert!(found(unclear).unwrap_err().contains("web-ky-1 has budgets for: "));
        }
    }

    fn caller(budgets: BTreeMap<Operation, Budget>) -> CallerStatus {
        CallerStatus {
            caller: "web-ky-1".parse().unwrap(),
            frozen: false,
            grants: Vec::new(),
            budgets,
            lowered: Vec::new(),
            last_hour: BTreeMap::new(),
            hours_to_drain: None,
        }
    }
}
