//! `cofferdam incident list`

use std::process::ExitCode;

use clap::Args;
use cofferdam_wire::Client;
use response_api::{Incident, ListIncidents};

use super::{Common, StepError, table};
use crate::CommandError;

/// `cofferdam incident list`
#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    common: Common,
}

/// The incidents, newest first.
pub async fn list(client: &Client) -> Result<Vec<Incident>, StepError> {
    client.call(&ListIncidents {}).await.map_err(StepError::plain)
}

/// Runs the command.
pub async fn run(args: ListArgs) -> Result<ExitCode, CommandError> {
    let incidents = list(&args.common.client()?).await?;
    args.common.print(&incidents, |incidents| lines(incidents))?;
    Ok(ExitCode::SUCCESS)
}

fn lines(incidents: &[Incident]) -> Vec<String> {
    if incidents.is_empty() {
        return vec!["no incident was declared".to_owned()];
    }
    let head = ["no.", "declared", "fallen", "window", "title"].map(str::to_owned).to_vec();
    let rows = incidents.iter().map(|incident| {
        vec![
            incident.incident.to_string(),
            table::instant(incident.declared),
            table::names(&incident.fallen),
            table::window(incident.from, incident.to),
            incident.title.clone(),
        ]
    });
    table::lines(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
}
