//! `cofferdam keys`: the compartment itself, its ceremony, and the custodians' shares.

mod init;
mod unseal;

use std::process::ExitCode;

use clap::Subcommand;

use super::serve::ServeArgs;
use crate::options::CommandError;

pub use init::Initialised;
pub use unseal::Unsealing;

/// `cofferdam keys`
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Run the keys compartment until SIGTERM or Ctrl-C
    Serve(ServeArgs),
    /// Make the secrets and put the first policy in force, or join secrets that exist
    Init(init::InitArgs),
    /// Give a custodian's share of the root key to a starting keys compartment
    Unseal(unseal::UnsealArgs),
}

/// Runs one of the commands, except `serve`: a server starts before the async runtime.
pub async fn run(command: KeysCommand) -> Result<ExitCode, CommandError> {
    match command {
        KeysCommand::Serve(_) => Err("a server is started before the async runtime".into()),
        KeysCommand::Init(args) => init::run(args).await,
        KeysCommand::Unseal(args) => unseal::run(args).await,
    }
}
