//! `cofferdam incident list`

use std::process::ExitCode;

use clap::Args;
use response_api::{Incident, ListIncidents};

use crate::command::{CommandError, Common};
use crate::table;

/// `cofferdam incident list`
#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    common: Common,
}

/// Lists the incidents, newest first.
pub async fn run(args: ListArgs) -> Result<ExitCode, CommandError> {
    let incidents = staff::call(&args.common.client()?, &ListIncidents {}).await?;
    args.common.print(&incidents, |incidents| lines(incidents))?;
    Ok(ExitCode::SUCCESS)
}

fn lines(incidents: &[Incident]) -> Vec<String> {
    if incidents.is_empty() {
        return vec!["no incident was declared".to_owned()];
    }
    let row = |incident: &Incident| {
        vec![
            incident.incident.to_string(),
            table::instant(incident.declared),
            table::names(&incident.fallen),
            table::window(incident.from, incident.to),
            incident.title.clone(),
        ]
    };
    table::headed(["no.", "declared", "fallen", "window", "title"], incidents.iter().map(row))
}
