//! `cofferdam budget suggest`

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use cofferdam_core::{CallerName, Operation};
use keys_api::Budget;
use schemars::JsonSchema;
use serde::Serialize;

use super::measure::{Measured, measure};
use crate::options::{CommandError, OutputArgs};
use crate::{output, words};

/// `cofferdam budget suggest`
#[derive(Debug, Args)]
pub struct SuggestArgs {
    /// The directory of the release log, or of the copy that response keeps
    #[arg(long, value_name = "DIR")]
    log: PathBuf,
    /// The days that count, back from the end of the log
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(i32).range(1..=3650))]
    days: i32,
    /// The factor by which a suggested budget exceeds the measured need, 1 or more
    #[arg(long, default_value_t = 1.5)]
    margin: f64,
    #[command(flatten)]
    output: OutputArgs,
}

/// Budgets in the form of a policy.
#[derive(Serialize, JsonSchema)]
pub struct Suggestion {
    callers: Vec<Suggested>,
}

/// The suggested budgets of one caller.
#[derive(Serialize, JsonSchema)]
struct Suggested {
    name: CallerName,
    budgets: BTreeMap<Operation, Budget>,
}

/// Prints budgets in the form of a policy.
pub fn run(args: &SuggestArgs) -> Result<ExitCode, CommandError> {
    if !args.margin.is_finite() || args.margin < 1.0 {
        return Err("a margin is 1 or more".into());
    }
    let measured = measure(&args.log, args.days)?;
    let Some((from, to)) = measured.span.filter(|_| !measured.uses.is_empty()) else {
        return Err(format!("the log in {} names no caller", args.log.display()).into());
    };
    output::note(&format!(
        "From the log between {} and {}: the 99.9th percentile of busy minutes, hours and days, \
         times {}.",
        words::instant(from),
        words::instant(to),
        args.margin
    ));
    if let Some(warning) = warning(&measured) {
        output::note(warning);
    }
    let suggestion = suggestion(&measured, args.margin);
    let text = toml::to_string(&suggestion)?;
    args.output.print(&suggestion, |_| text.lines().map(str::to_owned).collect())?;
    output::next("put them into a copy of: cofferdam policy show");
    Ok(ExitCode::SUCCESS)
}

fn suggestion(measured: &Measured, margin: f64) -> Suggestion {
    let mut callers: BTreeMap<CallerName, BTreeMap<Operation, Budget>> = BTreeMap::new();
    for ((caller, operation), used) in &measured.uses {
        callers.entry(caller.clone()).or_default().insert(*operation, used.budget(margin));
    }
    let callers = callers.into_iter().map(|(name, budgets)| Suggested { name, budgets });
    Suggestion { callers: callers.collect() }
}

/// Warns if the log is shorter than a window and so says little about it.
fn warning(measured: &Measured) -> Option<&'static str> {
    if measured.windows(1) < 1 {
        Some("The log spans less than an hour: the figures for hours and days say little.")
    } else if measured.windows(24) < 7 {
        Some("The log spans less than a week: the figures for days say little.")
    } else {
        None
    }
}
