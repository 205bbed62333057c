//! `cofferdam budgets suggest`

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use cofferdam_core::{CallerName, Operation};
use keys_api::Budget;
use serde::Serialize;

use super::measure::measure;
use crate::command::CommandError;
use crate::output;

/// `cofferdam budgets suggest`
#[derive(Debug, Args)]
pub struct SuggestArgs {
    /// The directory of the release log, or of response's copy of it
    #[arg(long, value_name = "DIR")]
    log: PathBuf,
    /// How many days of the log count, up to its end
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(i32).range(1..=3650))]
    days: i32,
    /// By how much a budget is larger than what was needed
    #[arg(long, default_value_t = 1.5)]
    margin: f64,
}

/// The budgets of one caller, as they stand in a policy.
#[derive(Serialize)]
struct Suggested {
    name: CallerName,
    budgets: BTreeMap<Operation, Budget>,
}

#[derive(Serialize)]
struct Policy {
    callers: Vec<Suggested>,
}

/// Prints budgets in the form of a policy.
pub fn run(args: &SuggestArgs) -> Result<ExitCode, CommandError> {
    if !args.margin.is_finite() || args.margin < 1.0 {
        return Err("a margin is 1 or more".into());
    }
    let uses = measure(&args.log, args.days)?;
    if uses.is_empty() {
        return Err(format!("the log in {} names no caller", args.log.display()).into());
    }
    let mut callers: BTreeMap<CallerName, BTreeMap<Operation, Budget>> = BTreeMap::new();
    for ((caller, operation), used) in &uses {
        callers.entry(caller.clone()).or_default().insert(*operation, used.budget(args.margin));
    }
    let callers = callers.into_iter().map(|(name, budgets)| Suggested { name, budgets });
    let policy = Policy { callers: callers.collect() };
    output::note(&format!(
        "From {} days of the log: the 99.9th percentile of busy minutes, hours and days, times {}.",
        args.days, args.margin
    ));
    output::line(toml::to_string(&policy)?.trim_end());
    Ok(ExitCode::SUCCESS)
}
