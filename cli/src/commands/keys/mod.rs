//! `cofferdam keys`: the compartment itself, its ceremony, and the orders that two people sign.

mod apply;
mod epochs;
mod init;
mod order;
mod policy;
mod unseal;

use std::process::ExitCode;

use clap::Subcommand;

use super::serve::ServeArgs;
use crate::command::CommandError;

/// `cofferdam keys`
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Run the keys compartment until SIGTERM or Ctrl-C
    Serve(ServeArgs),
    /// Make the secrets and put the first policy in force; where they are made, join them
    Init(init::InitArgs),
    /// Give your share of the root key to a keys that is starting
    Unseal(unseal::UnsealArgs),
    /// Show the policy in force: who may do what, and how much of it
    Policy(policy::PolicyArgs),
    /// Write an order down, for two people to sign
    #[command(subcommand)]
    Order(order::OrderCommand),
    /// Carry out an order that two people signed
    Apply(apply::ApplyArgs),
    /// Show the epochs of each domain, and how far its records are moved
    Epochs(epochs::EpochsArgs),
}

/// Runs one of the commands, except `serve`: a server starts before the async runtime.
pub async fn run(command: KeysCommand) -> Result<ExitCode, CommandError> {
    match command {
        KeysCommand::Serve(_) => Err("a server is started before the async runtime".into()),
        KeysCommand::Init(args) => init::run(args).await,
        KeysCommand::Unseal(args) => unseal::run(args).await,
        KeysCommand::Policy(args) => policy::run(args).await,
        KeysCommand::Order(command) => order::run(command).await,
        KeysCommand::Apply(args) => apply::run(args).await,
        KeysCommand::Epochs(args) => epochs::run(args).await,
    }
}
