//! `cofferdam import`: customers of an older shop, or the shop's own table and logs for the day of
//! an incident.

mod access_log;
mod customers;
mod roster;

use std::process::ExitCode;

use clap::Subcommand;

use crate::command::CommandError;

/// `cofferdam import`
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// Import customers from a CSV file; run again, it goes on where it stopped
    Customers(customers::ImportCustomersArgs),
    /// Bring the shop's own table of customers, for incidents about it
    Roster(roster::RosterArgs),
    /// Bring other systems' logs of who read customers' data
    AccessLog(access_log::AccessLogArgs),
    /// The access logs that were brought
    #[command(subcommand)]
    AccessLogs(access_log::AccessLogsCommand),
}

/// Runs one of the commands.
pub async fn run(command: ImportCommand) -> Result<ExitCode, CommandError> {
    match command {
        ImportCommand::Customers(args) => customers::run(args).await,
        ImportCommand::Roster(args) => roster::run(args).await,
        ImportCommand::AccessLog(args) => access_log::run(args).await,
        ImportCommand::AccessLogs(command) => access_log::run_logs(command).await,
    }
}
