//! `cofferdam callers`: the keys of callers.

mod renew;
mod revoke;

use std::process::ExitCode;

use clap::Subcommand;
use cofferdam_core::{CallerName, Sha256};
use schemars::JsonSchema;
use serde::Serialize;

use crate::options::CommandError;

/// `cofferdam callers`
#[derive(Debug, Subcommand)]
pub enum CallersCommand {
    /// Make a new key and certificate for a caller of an estate on this machine, and revoke the old
    /// key
    Renew(renew::RenewArgs),
    /// Revoke the key of a caller's certificate: every compartment refuses it within a second
    Revoke(revoke::RevokeArgs),
}

/// Runs one of the commands.
pub async fn run(command: CallersCommand) -> Result<ExitCode, CommandError> {
    match command {
        CallersCommand::Renew(args) => renew::run(args).await,
        CallersCommand::Revoke(args) => revoke::run(args).await,
    }
}

/// A key that was revoked.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Revoked {
    /// The caller whose key it was.
    caller: CallerName,
    /// The SHA-256 of the public key.
    key: Sha256,
}
