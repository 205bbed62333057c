//! The `cofferdam` binary: one subcommand a compartment, the whole estate (`up`), the drill, and
//! the commands of the response.
//!
//! May touch: everything. It only parses arguments and shows results; the work is done by the
//! servers, `estate`, `staff` and `drill`. Called by: people; `up` and `drill` start it again for
//! each compartment.

mod command;
mod commands;
mod output;
mod table;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use command::CommandError;
use commands::keys::KeysCommand;
use commands::serve::{AccountsCommand, PaymentsCommand, ResponseCommand, Server};
use commands::{
    budgets, decoys, drill, evidence, import, incident, keys, letters, log, mail, serve, staff, up,
};
use estate::Compartment;

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
    /// One letter, step by step: draft, approve, start, pause, stop, settle
    #[command(subcommand)]
    Letters(letters::LettersCommand),
    /// What sending letters takes
    #[command(subcommand)]
    Mail(mail::MailCommand),
    /// The people who approve, and their keys
    #[command(subcommand)]
    Staff(staff::StaffCommand),
    /// How much each caller may take, and should
    #[command(subcommand)]
    Budgets(budgets::BudgetsCommand),
    /// What comes to customers that don't exist
    #[command(subcommand)]
    Decoys(decoys::DecoysCommand),
    /// The evidence of an incident: one sealed bag, and how it is verified
    #[command(subcommand)]
    Evidence(evidence::EvidenceCommand),
    /// Check a release log, or a copy of one
    #[command(subcommand)]
    Log(log::LogCommand),
    /// The keys compartment: its ceremony, its policy, its epochs
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Run the accounts compartment
    #[command(subcommand)]
    Accounts(AccountsCommand),
    /// Run the payments compartment
    #[command(subcommand)]
    Payments(PaymentsCommand),
    /// Run the response compartment
    #[command(subcommand)]
    Response(ResponseCommand),
    /// Run the development mail sink: an SMTP server on loopback that stores what arrives
    #[command(subcommand)]
    Sink(serve::SinkCommand),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    // A server locks itself in before the runtime starts threads, because those would stay free.
    let task = match confine(cli.command) {
        Ok(task) => task,
        Err(e) => return output::fail(&e.to_string()),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => return output::fail(&format!("the async runtime does not start: {e}")),
    };
    let ended = runtime.block_on(async {
        match task {
            Task::Server(server) => server.run().await,
            Task::Command(command) => run(command).await,
        }
    });
    // A thread that reads standard input can't be interrupted, so nothing waits for it.
    runtime.shutdown_background();
    match ended {
        Ok(code) => code,
        Err(e) => output::fail(&e.to_string()),
    }
}

/// The work for the async runtime.
enum Task {
    /// A server that has locked itself in.
    Server(Server),
    /// Every other command.
    Command(Command),
}

fn confine(command: Command) -> Result<Task, CommandError> {
    let (compartment, args) = match command {
        Command::Keys(KeysCommand::Serve(args)) => (Compartment::Keys, args),
        Command::Accounts(AccountsCommand::Serve(args)) => (Compartment::Accounts, args),
        Command::Payments(PaymentsCommand::Serve(args)) => (Compartment::Payments, args),
        Command::Response(ResponseCommand::Serve(args)) => (Compartment::Response, args),
        other => return Ok(Task::Command(other)),
    };
    Ok(Task::Server(Server::confine(compartment, args)?))
}

async fn run(command: Command) -> Result<ExitCode, CommandError> {
    match command {
        Command::Up(args) => up::run(args).await,
        Command::Drill(args) => drill::run(args).await,
        Command::Import(command) => import::run(command).await,
        Command::Incident(command) => incident::run(command).await,
        Command::Letters(command) => letters::run(command).await,
        Command::Mail(command) => mail::run(command),
        Command::Staff(command) => staff::run(command).await,
        Command::Budgets(command) => budgets::run(command).await,
        Command::Decoys(command) => decoys::run(command).await,
        Command::Evidence(command) => evidence::run(command).await,
        Command::Log(command) => log::run(command).await,
        Command::Keys(command) => keys::run(command).await,
        Command::Accounts(_) | Command::Payments(_) | Command::Response(_) => {
            Err("a server is started before the async runtime".into())
        }
        Command::Sink(command) => serve::run_sink(command).await,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn every_command_is_well_formed() {
        super::Cli::command().debug_assert();
    }
}
