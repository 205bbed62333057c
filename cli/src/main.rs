//! The `cofferdam` binary: one subcommand a compartment, the whole estate (`up`), the drill, and
//! the commands of the response.
//!
//! May touch: everything; it is the only crate that sees every server. Called by: people, and by
//! `up` and `drill`, which start it again for each compartment.

mod connect;
mod drill;
mod import;
mod incident;
mod output;
mod serve;
mod staff;
mod up;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Accounts and cards in watertight compartments, and the response when one of them floods.
#[derive(Debug, Parser)]
#[command(name = "cofferdam", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make an estate (or take the one that is there) and run all its compartments
    Up(up::UpArgs),
    /// Replay a breach on a fresh estate, from the theft to the last letter, and check it all
    Drill(drill::DrillArgs),
    /// Bring data in
    #[command(subcommand)]
    Import(import::ImportCommand),
    /// Respond to an incident
    #[command(subcommand)]
    Incident(incident::IncidentCommand),
    /// The people who approve, and their keys
    #[command(subcommand)]
    Staff(staff::StaffCommand),
    /// Run the keys compartment
    #[command(subcommand)]
    Keys(serve::KeysCommand),
    /// Run the accounts compartment
    #[command(subcommand)]
    Accounts(serve::AccountsCommand),
    /// Run the payments compartment
    #[command(subcommand)]
    Payments(serve::PaymentsCommand),
    /// Run the response compartment
    #[command(subcommand)]
    Response(serve::ResponseCommand),
    /// Run the development mail sink: an SMTP server on loopback that stores what arrives
    #[command(subcommand)]
    Sink(serve::SinkCommand),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => return output::fail(&format!("the async runtime does not start: {e}")),
    };
    let ended = runtime.block_on(run(cli.command));
    // A read of standard input can't be called off: nobody is to wait for it.
    runtime.shutdown_background();
    match ended {
        Ok(code) => code,
        Err(e) => output::fail(&e.to_string()),
    }
}

/// What a command ends with when it did not do its work: a message that says what happened,
/// where, and what to do.
type CommandError = Box<dyn std::error::Error + Send + Sync>;

async fn run(command: Command) -> Result<ExitCode, CommandError> {
    match command {
        Command::Up(args) => up::run(args).await,
        Command::Drill(args) => drill::run(args).await,
        Command::Import(command) => import::run(command).await,
        Command::Incident(command) => incident::run(command).await,
        Command::Staff(command) => staff::run(command).await,
        Command::Keys(command) => serve::keys(command).await,
        Command::Accounts(command) => serve::accounts(command).await,
        Command::Payments(command) => serve::payments(command).await,
        Command::Response(command) => serve::response(command).await,
        Command::Sink(command) => serve::sink(command).await,
    }
}
