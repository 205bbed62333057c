//! `cofferdam evidence`: the sealed bag of an incident.

mod export;
mod verify;

use std::process::ExitCode;

use clap::Subcommand;

use crate::options::CommandError;

pub use verify::Verdict;

/// `cofferdam evidence`
#[derive(Debug, Subcommand)]
pub enum EvidenceCommand {
    /// Write the evidence of an incident into a sealed bag (`BagIt`, RFC 8493)
    Export(export::ExportArgs),
    /// Verify a bag offline, with the bag and the key that sealed it alone
    Verify(verify::VerifyArgs),
}

/// Runs one of the commands.
pub async fn run(command: EvidenceCommand) -> Result<ExitCode, CommandError> {
    match command {
        EvidenceCommand::Export(args) => export::run(args).await,
        EvidenceCommand::Verify(args) => verify::run(&args),
    }
}
