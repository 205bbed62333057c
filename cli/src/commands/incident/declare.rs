//! `cofferdam incident declare`

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use cofferdam_core::{CallerName, Timestamp};
use response_api::{DeclareIncident, FallenHost, People};

use super::lines;
use crate::options::{CommandError, ResponseArgs, instant};

/// `cofferdam incident declare`
#[derive(Debug, Args)]
pub struct DeclareArgs {
    /// The title: one line that names the incident, without personal data
    #[arg(long, value_name = "TEXT")]
    title: String,
    /// A host that fell, by the name in its certificate; a host that is not an app server needs its
    /// kind: accounts=accounts, keys=keys, response-1=response, backup-7=accounts_database,
    /// mail-1=relay. Repeat it for each host
    #[arg(long, value_name = "HOST[=KIND]", required = true)]
    fallen: Vec<FallenHost>,
    /// A fallen host that `keys` lists no more, or that nobody can look up because `keys` does not
    /// answer. Any other name that `keys` does not list is refused. Repeat it for each host
    #[arg(long, value_name = "HOST")]
    unlisted: Vec<CallerName>,
    /// The beginning of the window in which the hosts count as fallen, as 2012-01-13T20:00:00Z
    #[arg(long, value_name = "TIME", value_parser = instant)]
    from: Timestamp,
    /// The end of the window [default: none; each scope counts up to its own instant]
    #[arg(long, value_name = "TIME", value_parser = instant)]
    to: Option<Timestamp>,
    /// The way in which the breach was found, without personal data
    #[arg(long, value_name = "TEXT")]
    found: String,
    /// The people whose records the incident is about
    #[arg(long, value_enum, default_value = "accounts")]
    people: About,
    #[command(flatten)]
    response: ResponseArgs,
}

/// The people whose records an incident is about, as an option's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum About {
    /// The customers of accounts; the release logs show the reads
    Accounts,
    /// The people of the brought table; the access logs show the reads
    Table,
}

/// Declares an incident, and prints the next step.
pub async fn run(args: DeclareArgs) -> Result<ExitCode, CommandError> {
    let DeclareArgs { title, fallen, unlisted, from, to, found, people, response } = args;
    let people = match people {
        About::Accounts => People::Accounts,
        About::Table => People::Table,
    };
    let call = DeclareIncident { title, fallen, from, to, found, people, unlisted };
    let incident = staff::call(&response.client()?, &call).await?;
    response.print(&incident, lines::lines)?;
    lines::next(&incident, &incident.fallen);
    Ok(ExitCode::SUCCESS)
}
