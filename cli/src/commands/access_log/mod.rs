//! `cofferdam access-log`: logs of other systems that say who read customers' data.

mod add;
mod lines;
mod list;
mod remove;

use std::process::ExitCode;

use clap::Subcommand;

use crate::options::CommandError;

/// `cofferdam access-log`
#[derive(Debug, Subcommand)]
pub enum AccessLogCommand {
    /// Show what `add` would bring from access logs, without bringing them
    Plan(add::PlanArgs),
    /// Bring access logs; after an interruption, run the same command again to continue
    Add(add::AddArgs),
    /// List the access logs that were brought
    List(list::ListArgs),
    /// Remove an access log, such as one that was brought with the wrong mapping
    Remove(remove::RemoveArgs),
}

/// Runs one of the commands.
pub async fn run(command: AccessLogCommand) -> Result<ExitCode, CommandError> {
    match command {
        AccessLogCommand::Plan(args) => add::plan(args).await,
        AccessLogCommand::Add(args) => add::add(args).await,
        AccessLogCommand::List(args) => list::run(args).await,
        AccessLogCommand::Remove(args) => remove::run(args).await,
    }
}
