//! `cofferdam budget list`

use std::process::ExitCode;

use clap::Args;
use cofferdam_core::Operation;
use keys_api::CallerStatus;

use crate::options::{CommandError, ResponseArgs};
use crate::{columns, words};

/// `cofferdam budget list`
#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    response: ResponseArgs,
}

/// Lists the budgets of each caller, with their use and the hours to drain everything.
pub async fn run(args: ListArgs) -> Result<ExitCode, CommandError> {
    let callers = staff::keys::callers(&args.response.client()?).await?;
    args.response.print(&callers, |callers| lines(callers))?;
    Ok(ExitCode::SUCCESS)
}

fn lines(callers: &[CallerStatus]) -> Vec<String> {
    let head = [
        "caller",
        "operation",
        "a minute",
        "burst",
        "an hour",
        "a day",
        "last hour",
        "hours to drain everything",
    ];
    let rows = callers.iter().flat_map(|caller| {
        caller.budgets.iter().map(|(operation, budget)| {
            let used = caller.last_hour.get(operation).copied().unwrap_or(0);
            let drain = match operation {
                Operation::Release => drain(caller.hours_to_drain),
                _ => String::new(),
            };
            let name = if caller.frozen {
                format!("{} (frozen)", caller.caller)
            } else {
                caller.caller.to_string()
            };
            let mut row = vec![name, operation.to_string()];
            let figures = [budget.minute, budget.burst, budget.hour, budget.day, used];
            row.extend(figures.map(words::number));
            row.push(drain);
            row
        })
    });
    columns::headed(head, rows)
}

/// Formats hours to drain: `11,501`, `0.5` or `never`.
fn drain(hours: Option<f64>) -> String {
    match hours {
        None => "never".to_owned(),
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a figure for people, not below 10"
        )]
        Some(hours) if hours >= 10.0 => words::number(hours.round() as u64),
        Some(hours) => format!("{hours:.1}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_rounded_as_people_say_them() {
        assert_eq!(drain(None), "never");
        assert_eq!(drain(Some(0.04)), "0.0");
        assert_eq!(drain(Some(2.55)), "2.5");
        assert_eq!(drain(Some(11_501.4)), "11,501");
    }
}
