//! `cofferdam staff`: the people who approve, and their signatures.

mod add;
mod key;
mod show;
mod sign;

use std::process::ExitCode;

use clap::Subcommand;

use crate::CommandError;

pub use key::{StaffKey, open_all, passphrase};

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

/// Runs a command.
pub async fn run(command: StaffCommand) -> Result<ExitCode, CommandError> {
    match command {
        StaffCommand::Add(args) => add::run(&args),
        StaffCommand::Show(args) => show::run(&args),
        StaffCommand::Sign(args) => sign::run(&args),
    }
}
