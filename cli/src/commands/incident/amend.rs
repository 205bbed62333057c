//! `cofferdam incident amend`

use std::process::ExitCode;

use clap::Args;
use cofferdam_core::{CallerName, Reason, Timestamp};
use response_api::{AmendIncident, FallenHost};

use super::lines;
use crate::options::{CommandError, IncidentArgs, instant};

/// `cofferdam incident amend`
#[derive(Debug, Args)]
pub struct AmendArgs {
    #[command(flatten)]
    of: IncidentArgs,
    #[command(flatten)]
    change: Change,
    /// The reason, without personal data; the journal keeps it with the earlier values
    #[arg(long, value_name = "TEXT")]
    reason: Reason,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
struct Change {
    /// Another host that fell, in the form that `incident declare` takes; repeat it for each
    #[arg(long, value_name = "HOST[=KIND]")]
    add_fallen: Vec<FallenHost>,
    /// An added host that `keys` lists no more, or that nobody can look up; repeat it for each
    #[arg(long, value_name = "HOST", requires = "add_fallen")]
    unlisted: Vec<CallerName>,
    /// A host that was named by mistake; repeat it for each host
    #[arg(long, value_name = "HOST[=KIND]")]
    remove_fallen: Vec<FallenHost>,
    /// The new beginning of the window, as 2012-01-13T20:00:00Z
    #[arg(long, value_name = "TIME", value_parser = instant)]
    from: Option<Timestamp>,
    /// The new end of the window, as 2012-01-16T08:00:00Z
    #[arg(long, value_name = "TIME", value_parser = instant)]
    to: Option<Timestamp>,
    /// The new title, without personal data
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
}

/// Amends an incident, and prints its new state.
pub async fn run(args: AmendArgs) -> Result<ExitCode, CommandError> {
    let AmendArgs { of, change, reason } = args;
    let Change { add_fallen, unlisted, remove_fallen, from, to, title } = change;
    let added = add_fallen.clone();
    let incident = of.incident;
    let call =
        AmendIncident { incident, add_fallen, remove_fallen, unlisted, from, to, title, reason };
    let incident = staff::call(&of.response.client()?, &call).await?;
    of.response.print(&incident, lines::lines)?;
    lines::next(&incident, &added);
    Ok(ExitCode::SUCCESS)
}
