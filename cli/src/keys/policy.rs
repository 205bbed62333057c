//! `cofferdam keys policy`

use std::process::ExitCode;

use clap::Args;
use cofferdam_wire::Client;
use keys_api::Policy;
use response_api::{KeysView, ReadKeys};

use crate::incident::Common;
use crate::{CommandError, output};

/// `cofferdam keys policy`
#[derive(Debug, Args)]
pub struct PolicyArgs {
    #[command(flatten)]
    common: Common,
}

/// Prints the policy as TOML, ready to be changed.
pub async fn run(args: PolicyArgs) -> Result<ExitCode, CommandError> {
    let policy = in_force(&args.common.client()?).await?;
    if args.common.json {
        output::json(&policy)?;
    } else {
        output::line(toml::to_string(&policy)?.trim_end());
    }
    Ok(ExitCode::SUCCESS)
}

/// The policy in force.
pub async fn in_force(response: &Client) -> Result<Policy, CommandError> {
    let policy = response.call(&ReadKeys { view: KeysView::Policy }).await?;
    Ok(serde_json::from_value(policy)?)
}
