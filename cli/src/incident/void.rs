//! `cofferdam incident void`

use std::process::ExitCode;

use clap::Args;
use cofferdam_wire::Client;
use response_api::{IncidentId, VoidCredentials, Voided};

use super::{Common, StepError, incident_number, table};
use crate::CommandError;

/// `cofferdam incident void`
#[derive(Debug, Args)]
pub struct VoidArgs {
    /// The incident's number
    #[arg(value_parser = incident_number)]
    incident: IncidentId,
    #[command(flatten)]
    common: Common,
}

/// Voids all credentials and ends all sessions.
pub async fn void(client: &Client, incident: IncidentId) -> Result<Voided, StepError> {
    client.call(&VoidCredentials { incident }).await.map_err(StepError::plain)
}

/// Runs the command.
pub async fn run(args: VoidArgs) -> Result<ExitCode, CommandError> {
    let voided = void(&args.common.client()?, args.incident).await?;
    args.common.print(&voided, |voided| {
        let (customers, sessions) =
            (table::number(voided.customers), table::number(voided.sessions));
        vec![
            format!("order {}: the credentials of {customers} customers are void", voided.order),
            format!("{sessions} sessions ended; it took {:.2} s", voided.seconds),
        ]
    })?;
    Ok(ExitCode::SUCCESS)
}
