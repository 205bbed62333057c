//! `cofferdam incident declare`

use std::process::ExitCode;

use clap::Args;
use cofferdam_core::Timestamp;
use response_api::{DeclareIncident, FallenHost, Incident, People};

use crate::command::{CommandError, Common, instant};
use crate::table;

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
    /// Until when; left out: until now, at each look
    #[arg(long, value_name = "TIME", value_parser = instant)]
    to: Option<Timestamp>,
    /// How it was found, without personal data
    #[arg(long, value_name = "TEXT")]
    found: String,
    /// Whose records it is about: the customers of accounts, or the roster that was imported
    #[arg(long, value_name = "WHOSE", default_value = "accounts", value_parser = people)]
    people: People,
    #[command(flatten)]
    common: Common,
}

/// Declares an incident.
pub async fn run(args: DeclareArgs) -> Result<ExitCode, CommandError> {
    let DeclareArgs { title, fallen, from, to, found, people, common } = args;
    let call = DeclareIncident { title, fallen, from, to, found, people };
    let incident = staff::call(&common.client()?, &call).await?;
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

fn people(text: &str) -> Result<People, String> {
    let known = [People::Accounts, People::Roster].into_iter();
    known.into_iter().find(|of| of.as_str() == text).ok_or_else(|| "accounts or roster".to_owned())
}
