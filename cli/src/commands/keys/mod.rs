//! `cofferdam keys`: the compartment itself, its ceremony, and the custodians' shares.

mod init;

use std::process::ExitCode;

use clap::Subcommand;
use estate::Compartment;

use super::serve::ServeArgs;
use super::unseal::{self, UnsealArgs};
use crate::options::CommandError;

pub use init::{Initialised, hand_out};

/// `cofferdam keys`
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Run the keys compartment until SIGTERM or Ctrl-C
    Serve(ServeArgs),
    /// Make the secrets and put the first policy in force, or join secrets that exist
    Init(init::InitArgs),
    /// Give a custodian's share of the root key to a starting keys compartment
    Unseal(UnsealArgs),
}

/// Runs one of the commands, except `serve`: a server starts before the async runtime.
pub async fn run(command: KeysCommand) -> Result<ExitCode, CommandError> {
    match command {
        KeysCommand::Serve(_) => Err("a server is started before the async runtime".into()),
        KeysCommand::Init(args) => init::run(args).await,
        KeysCommand::Unseal(args) => unseal::run(Compartment::Keys, args).await,
    }
}
