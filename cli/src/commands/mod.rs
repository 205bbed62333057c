//! The commands: a folder or a file for each subcommand of `cofferdam`.

mod access_log;
mod alarm;
mod approver;
mod budget;
mod callers;
mod customers;
mod decoys;
mod dkim_key;
mod drill;
mod epoch;
mod evidence;
mod halves;
mod incident;
mod keys;
mod letters;
mod log;
pub mod manual;
mod order;
mod paper_post;
mod policy;
mod restore;
mod serve;
mod table;
mod unseal;
mod up;

use std::process::ExitCode;

use clap::Subcommand;
use estate::Compartment;

use crate::options::CommandError;
use keys::KeysCommand;
use serve::{AccountsCommand, PaymentsCommand, ResponseCommand, Server};

/// Nouns first. The same verb means the same everywhere: `list` and `show` read, `add` and `remove`
/// change, and an order goes through `draft`, `show`, `sign` and `apply`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run an estate with all its compartments on this machine; the first run makes it
    Up(up::UpArgs),
    /// Replay a breach on a fresh estate, from the theft to the last letter, and check every
    /// finding
    Drill(drill::DrillArgs),
    /// The response to an incident: declare, freeze, scope, void, publish, report
    #[command(subcommand)]
    Incident(incident::IncidentCommand),
    /// Letters to staff, then to customers: plan, preview, test, start, settle
    #[command(subcommand)]
    Letters(letters::LettersCommand),
    /// Orders, which two people sign: draft, show, sign, apply
    #[command(subcommand)]
    Order(order::OrderCommand),
    /// Letters on paper to people whom no e-mail reached
    #[command(subcommand)]
    PaperPost(paper_post::PaperPostCommand),
    /// The alarms of keys and response
    #[command(subcommand)]
    Alarm(alarm::AlarmCommand),
    /// The evidence of an incident: export it as a sealed bag, verify the bag offline
    #[command(subcommand)]
    Evidence(evidence::EvidenceCommand),
    /// The people who approve orders, and their signing keys
    #[command(subcommand)]
    Approver(approver::ApproverCommand),
    /// The policy: the grants and budgets of every caller, and the approvers
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// The budgets of each caller: list, suggest, lower, restore
    #[command(subcommand)]
    Budget(budget::BudgetCommand),
    /// The keys of callers: renew one, revoke one
    #[command(subcommand)]
    Callers(callers::CallersCommand),
    /// The epochs of each domain's master key
    #[command(subcommand)]
    Epoch(epoch::EpochCommand),
    /// The customers of an older shop: import them into accounts
    #[command(subcommand)]
    Customers(customers::CustomersCommand),
    /// The shop's own table of customers, for an incident about that table
    #[command(subcommand)]
    Table(table::TableCommand),
    /// Access logs of other systems, which say who read customers' data
    #[command(subcommand)]
    AccessLog(access_log::AccessLogCommand),
    /// A release log on disk, or a copy of one: verify it, export it as tiles
    #[command(subcommand)]
    Log(log::LogCommand),
    /// The DKIM keys that sign letters
    #[command(subcommand)]
    DkimKey(dkim_key::DkimKeyCommand),
    /// Mail that arrives for decoys: customers who do not exist
    #[command(subcommand)]
    Decoys(decoys::DecoysCommand),
    /// The keys compartment: run it, make its secrets, give it a custodian's share
    #[command(subcommand)]
    Keys(KeysCommand),
    /// The accounts compartment: run it, make its halves of keys, restore its database
    #[command(subcommand)]
    Accounts(AccountsCommand),
    /// The payments compartment: run it, make its halves of keys, restore its database
    #[command(subcommand)]
    Payments(PaymentsCommand),
    /// The response compartment: run it, make its halves of keys, restore its database
    #[command(subcommand)]
    Response(ResponseCommand),
    /// The development mail sink: an SMTP server on loopback that stores the mail it gets
    #[command(subcommand)]
    Sink(serve::SinkCommand),
    /// Write man pages, shell completions and the schema of every JSON result
    Manual(manual::ManualArgs),
}

/// The work for the async runtime.
pub enum Task {
    /// A server that is confined and ready to run.
    Server(Server),
    /// A command that is not a server.
    Command(Box<Command>),
}

impl Task {
    /// Confines the process if it is to be a server. It must have no other thread yet.
    pub fn confine(command: Command) -> Result<Self, CommandError> {
        let (compartment, args) = match command {
            Command::Keys(KeysCommand::Serve(args)) => (Compartment::Keys, args),
            Command::Accounts(AccountsCommand::Serve(args)) => (Compartment::Accounts, args),
            Command::Payments(PaymentsCommand::Serve(args)) => (Compartment::Payments, args),
            Command::Response(ResponseCommand::Serve(args)) => (Compartment::Response, args),
            other => return Ok(Self::Command(Box::new(other))),
        };
        Ok(Self::Server(Server::confine(compartment, args)?))
    }

    /// Runs the server or the command.
    pub async fn run(self) -> Result<ExitCode, CommandError> {
        match self {
            Self::Server(server) => server.run().await,
            Self::Command(command) => run(*command).await,
        }
    }
}

async fn run(command: Command) -> Result<ExitCode, CommandError> {
    match command {
        Command::Up(args) => up::run(args).await,
        Command::Drill(args) => drill::run(args).await,
        Command::Incident(command) => incident::run(command).await,
        Command::Letters(command) => letters::run(command).await,
        Command::Order(command) => order::run(command).await,
        Command::PaperPost(command) => paper_post::run(command).await,
        Command::Alarm(command) => alarm::run(command).await,
        Command::Evidence(command) => evidence::run(command).await,
        Command::Approver(command) => approver::run(command).await,
        Command::Policy(command) => policy::run(command).await,
        Command::Budget(command) => budget::run(command).await,
        Command::Callers(command) => callers::run(command).await,
        Command::Epoch(command) => epoch::run(command).await,
        Command::Customers(command) => customers::run(command).await,
        Command::Table(command) => table::run(command).await,
        Command::AccessLog(command) => access_log::run(command).await,
        Command::Log(command) => log::run(&command),
        Command::DkimKey(command) => dkim_key::run(command),
        Command::Decoys(command) => decoys::run(command).await,
        Command::Keys(command) => keys::run(command).await,
        Command::Accounts(command) => command.run().await,
        Command::Payments(command) => command.run().await,
        Command::Response(command) => command.run().await,
        Command::Sink(command) => serve::run_sink(command).await,
        Command::Manual(args) => manual::run(&args),
    }
}
