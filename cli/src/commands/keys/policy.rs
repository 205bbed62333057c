//! `cofferdam keys policy`

use std::process::ExitCode;

use clap::Args;

use crate::command::{CommandError, Common};
use crate::output;

/// `cofferdam keys policy`
#[derive(Debug, Args)]
pub struct PolicyArgs {
    #[command(flatten)]
    common: Common,
}

/// Prints the policy in force as TOML, ready to be changed.
pub async fn run(args: PolicyArgs) -> Result<ExitCode, CommandError> {
    let policy = staff::keys::policy(&args.common.client()?).await?;
    if args.common.json {
        output::json(&policy)?;
    } else {
        output::line(toml::to_string(&policy)?.trim_end());
    }
    Ok(ExitCode::SUCCESS)
}
