//! `cofferdam incident declare`

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use cofferdam_core::Timestamp;
use response_api::{DeclareIncident, FallenHost, People};

use super::lines;
use crate::options::{CommandError, ResponseArgs, instant};

/// `cofferdam incident declare`
#[derive(Debug, Args)]
pub struct DeclareArgs {
    /// A line that names the incident, without personal data
    #[arg(long, value_name = "TEXT")]
    title: String,
    /// A host that fell, by the name in its certificate; what is no app server says what it is:
    /// accounts=accounts, keys=keys, response-1=response, backup-7=accounts_database, mail-1=relay.
    /// Repeat it for each
    #[arg(long, value_name = "HOST[=KIND]", required = true)]
    fallen: Vec<FallenHost>,
    /// Since when it must be taken for fallen, as 2012-01-13T20:00:00Z
    #[arg(long, value_name = "TIME", value_parser = instant)]
    from: Timestamp,
    /// Until when; left out: until now, at each scope
    #[arg(long, value_name = "TIME", value_parser = instant)]
    to: Option<Timestamp>,
    /// How it was found, without personal data
    #[arg(long, value_name = "TEXT")]
    found: String,
    /// Whose records it is about
    #[arg(long, value_enum, default_value = "accounts")]
    people: About,
    #[command(flatten)]
    response: ResponseArgs,
}

/// The people of an incident, on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum About {
    /// The customers of accounts, as the release logs tell
    Accounts,
    /// The people of the brought table, as the access logs tell
    Table,
}

/// Declares an incident.
pub async fn run(args: DeclareArgs) -> Result<ExitCode, CommandError> {
    let DeclareArgs { title, fallen, from, to, found, people, response } = args;
    let people = match people {
        About::Accounts => People::Accounts,
        About::Table => People::Table,
    };
    let call = DeclareIncident { title, fallen, from, to, found, people };
    let incident = staff::call(&response.client()?, &call).await?;
    response.print(&incident, lines::lines)?;
    lines::next(&incident, &incident.fallen);
    Ok(ExitCode::SUCCESS)
}
