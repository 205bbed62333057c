//! `cofferdam staff`: the people who approve, their keys, and their signatures.

mod add;
mod show;
mod sign;

use std::process::ExitCode;

use clap::Subcommand;

use crate::command::CommandError;

/// The people who approve: grants, warrants, rotations.
#[derive(Debug, Subcommand)]
pub enum StaffCommand {
    /// Make a signing key for one person, in a file that a passphrase opens
    Add(add::AddArgs),
    /// Show what an order says, before it is signed
    Show(show::ShowArgs),
    /// Sign an order, after reading it
    Sign(sign::SignArgs),
}

/// Runs one of the commands.
pub async fn run(command: StaffCommand) -> Result<ExitCode, CommandError> {
    match command {
        StaffCommand::Add(args) => add::run(&args),
        StaffCommand::Show(args) => show::run(&args),
        StaffCommand::Sign(args) => sign::run(&args),
    }
}
