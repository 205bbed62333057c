//! `cofferdam log`: checks a release log, or a copy of one, on disk.

mod export;
mod verify;

use std::process::ExitCode;

use clap::Subcommand;

use crate::options::CommandError;

pub use export::ExportedLog;
pub use verify::VerifiedLog;

/// `cofferdam log`
#[derive(Debug, Subcommand)]
pub enum LogCommand {
    /// Read every entry, and check that the entries make the tree that was signed and cosigned
    Verify(verify::VerifyArgs),
    /// Write the log as static tiles that public tools read (c2sp.org/tlog-tiles)
    Export(export::ExportArgs),
}

/// Runs one of the commands.
pub fn run(command: &LogCommand) -> Result<ExitCode, CommandError> {
    match command {
        LogCommand::Verify(args) => verify::run(args),
        LogCommand::Export(args) => export::run(args),
    }
}
