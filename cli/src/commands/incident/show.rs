//! `cofferdam incident show`

use std::process::ExitCode;

use clap::Args;
use cofferdam_wire::Client;
use response_api::{Incident, IncidentId, LetterStatus, ListIncidents, ListLetters};
use schemars::JsonSchema;
use serde::Serialize;

use super::lines;
use crate::commands::letters;
use crate::options::{CommandError, IncidentArgs};

/// `cofferdam incident show`
#[derive(Debug, Args)]
pub struct ShowArgs {
    #[command(flatten)]
    of: IncidentArgs,
}

/// An incident with its letters.
#[derive(Serialize, JsonSchema)]
pub struct Shown {
    /// The incident, as it was declared and amended.
    #[serde(flatten)]
    pub incident: Incident,
    /// The letters of the incident, oldest first.
    pub letters: Vec<LetterStatus>,
}

/// Shows an incident and its letters.
pub async fn run(args: ShowArgs) -> Result<ExitCode, CommandError> {
    let ShowArgs { of } = args;
    let shown = read(&of.response.client()?, of.incident).await?;
    of.response.print(&shown, lines)?;
    Ok(ExitCode::SUCCESS)
}

/// Reads an incident with its letters.
pub async fn read(client: &Client, number: IncidentId) -> Result<Shown, CommandError> {
    let all = staff::call(client, &ListIncidents {}).await?;
    let incident = all
        .into_iter()
        .find(|of| of.incident == number)
        .ok_or_else(|| format!("there is no incident {number}; see `cofferdam incident list`"))?;
    let letters = staff::call(client, &ListLetters { incident: Some(number) }).await?;
    Ok(Shown { incident, letters })
}

/// Describes an incident, with a line for each letter.
pub fn lines(shown: &Shown) -> Vec<String> {
    let mut out = lines::lines(&shown.incident);
    let letter = |of: &LetterStatus| format!("letter {} {}", of.letter, letters::summary(of));
    out.extend(shown.letters.iter().map(letter));
    out
}
