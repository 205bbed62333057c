//! `cofferdam policy`: the grants and budgets of every caller, and the approvers.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::options::{CommandError, ResponseArgs};
use crate::output;

/// `cofferdam policy`
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Show the policy in force as TOML, ready to be edited
    Show(ShowArgs),
}

/// `cofferdam policy show`
#[derive(Debug, Args)]
pub struct ShowArgs {
    #[command(flatten)]
    response: ResponseArgs,
}

/// Shows the policy in force as TOML.
pub async fn run(command: PolicyCommand) -> Result<ExitCode, CommandError> {
    let PolicyCommand::Show(args) = command;
    let policy = staff::keys::policy(&args.response.client()?).await?;
    let text = toml::to_string(&policy)?;
    args.response.print(&policy, |_| text.lines().map(str::to_owned).collect())?;
    output::next("to change it: cofferdam order draft policy FILE --out ORDER");
    Ok(ExitCode::SUCCESS)
}
