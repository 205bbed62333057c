//! `cofferdam access-log`: other systems' logs of who read customers' data.

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
    /// Read logs as `add` would, and show what they say: nothing is brought
    Plan(add::PlanArgs),
    /// Bring logs; run again, it goes on where it stopped
    Add(add::AddArgs),
    /// List the logs that were brought
    List(list::ListArgs),
    /// Take a log away, as one brought with the wrong mapping
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
