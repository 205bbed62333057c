//! `cofferdam incident`: the response, step by step.

mod amend;
mod close;
mod declare;
mod freeze;
mod journal;
mod lines;
mod list;
mod notice;
mod person;
mod report;
mod scope;
mod show;
mod void;

use std::process::ExitCode;

use clap::Subcommand;

use crate::options::CommandError;

pub use freeze::CallerState;
pub use show::Shown;

/// `cofferdam incident`
#[derive(Debug, Subcommand)]
pub enum IncidentCommand {
    /// Declare an incident: what fell, since when, how it was found; its clocks start
    Declare(declare::DeclareArgs),
    /// Name another fallen host, or correct the window or the title
    Amend(amend::AmendArgs),
    /// Close an incident: nothing more is ordered for it
    Close(close::CloseArgs),
    /// List the incidents, newest first
    List(list::ListArgs),
    /// Show one incident and its letters
    Show(show::ShowArgs),
    /// Refuse a caller everything in every compartment
    Freeze(freeze::FreezeArgs),
    /// Let a frozen caller in again
    Thaw(freeze::FreezeArgs),
    /// Compute who is exposed, from the logs alone
    Scope(scope::ScopeArgs),
    /// Say what became of one person's data: by what host, and when
    Person(person::PersonArgs),
    /// Void the credentials of some customers, and end their sessions
    Void(void::VoidArgs),
    /// Publish the notice as a static page
    Notice(notice::NoticeArgs),
    /// Write down what is known of an incident
    Report(report::ReportArgs),
    /// Show the journal, and check that it is whole
    Journal(journal::JournalArgs),
}

/// Runs one of the commands.
pub async fn run(command: IncidentCommand) -> Result<ExitCode, CommandError> {
    match command {
        IncidentCommand::Declare(args) => declare::run(args).await,
        IncidentCommand::Amend(args) => amend::run(args).await,
        IncidentCommand::Close(args) => close::run(args).await,
        IncidentCommand::List(args) => list::run(args).await,
        IncidentCommand::Show(args) => show::run(args).await,
        IncidentCommand::Freeze(args) => freeze::run(args, true).await,
        IncidentCommand::Thaw(args) => freeze::run(args, false).await,
        IncidentCommand::Scope(args) => scope::run(args).await,
        IncidentCommand::Person(args) => person::run(args).await,
        IncidentCommand::Void(args) => void::run(args).await,
        IncidentCommand::Notice(args) => notice::run(args).await,
        IncidentCommand::Report(args) => report::run(args).await,
        IncidentCommand::Journal(args) => journal::run(args).await,
    }
}
