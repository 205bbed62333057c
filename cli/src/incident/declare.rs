//! `cofferdam incident declare`

use std::process::ExitCode;

use clap::Args;
use cofferdam_core::Timestamp;
use cofferdam_wire::Client;
use response_api::{DeclareIncident, FallenHost, Incident};

use super::{Common, StepError, table};
use crate::CommandError;

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
    #[arg(long, value_name = "TIME", value_parser = time)]
    from: Timestamp,
    /// Until when; left out: until now, at each look
    #[arg(long, value_name = "TIME", value_parser = time)]
    to: Option<Timestamp>,
    /// How it was found, without personal data
    #[arg(long, value_name = "TEXT")]
    found: String,
    #[command(flatten)]
    common: Common,
}

/// Declares an incident.
pub async fn declare(client: &Client, call: &DeclareIncident) -> Result<Incident, StepError> {
    client.call(call).await.map_err(StepError::plain)
}

/// Runs the command.
pub async fn run(args: DeclareArgs) -> Result<ExitCode, CommandError> {
    let DeclareArgs { title, fallen, from, to, found, common } = args;
    let client = common.client()?;
    let incident = declare(&client, &DeclareIncident { title, fallen, from, to, found }).await?;
    common.print(&incident, lines)?;
    Ok(ExitCode::SUCCESS)
}

fn lines(incident: &Incident) -> Vec<String> {
    let number = incident.incident;
    let fallen = table::names(&incident.fallen);
    let window = table::window(incident.from, incident.to);
    vec![
        format!("incident {number} declared {}", table::instant(incident.declared)),
        format!("fallen: {fallen}, {window}"),
        format!("next: cofferdam incident scope {number}"),
    ]
}

/// An instant on the command line.
pub fn time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "a time is written as 2012-01-13T20:00:00Z".to_owned())
}
