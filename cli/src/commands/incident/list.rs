//! `cofferdam incident list`

use std::process::ExitCode;

use clap::Args;
use response_api::{Incident, ListIncidents};

use crate::options::{CommandError, ResponseArgs};
use crate::{columns, words};

/// `cofferdam incident list`
#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    response: ResponseArgs,
}

/// Lists the incidents, newest first.
pub async fn run(args: ListArgs) -> Result<ExitCode, CommandError> {
    let incidents = staff::call(&args.response.client()?, &ListIncidents {}).await?;
    args.response.print(&incidents, |incidents| {
        let head = ["incident", "declared", "state", "fallen", "window", "title"];
        columns::listing(head, incidents, row, "no incident was declared")
    })?;
    Ok(ExitCode::SUCCESS)
}

fn row(incident: &Incident) -> Vec<String> {
    vec![
        incident.incident.to_string(),
        words::instant(incident.declared),
        if incident.closed.is_some() { "closed" } else { "open" }.to_owned(),
        words::names(&incident.fallen),
        words::window(incident.from, incident.to),
        incident.title.clone(),
    ]
}
