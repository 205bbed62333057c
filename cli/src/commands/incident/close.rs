//! `cofferdam incident close`

use std::process::ExitCode;

use clap::Args;
use cofferdam_core::Reason;
use response_api::CloseIncident;

use super::{lines, show};
use crate::confirm::Confirm;
use crate::options::{CommandError, IncidentArgs};
use crate::output;

/// `cofferdam incident close`
#[derive(Debug, Args)]
pub struct CloseArgs {
    #[command(flatten)]
    of: IncidentArgs,
    /// The reason why the incident is over, without personal data
    #[arg(long, value_name = "TEXT")]
    reason: Reason,
    #[command(flatten)]
    confirm: Confirm,
}

/// Closes an incident after a question.
pub async fn run(args: CloseArgs) -> Result<ExitCode, CommandError> {
    let CloseArgs { of, reason, confirm } = args;
    let (client, number) = (of.response.client()?, of.incident);
    let shown = show::read(&client, number).await?;
    let mut step = vec![format!(
        "close incident {number}, {}: its letters, orders and notice end; callers can still be \
         thawed",
        staff::printable(&shown.incident.title)
    )];
    step.extend(show::lines(&shown).into_iter().skip(1));
    confirm.ask(&step)?;
    let incident = staff::call(&client, &CloseIncident { incident: number, reason }).await?;
    of.response.print(&incident, lines::lines)?;
    output::next(&format!("cofferdam evidence export --incident {number} --out DIR"));
    Ok(ExitCode::SUCCESS)
}
