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
    /// Declare an incident: its fallen hosts, its window, the people, how it was found
    Declare(declare::DeclareArgs),
    /// Amend an incident: add or remove fallen hosts, correct the window or the title
    Amend(amend::AmendArgs),
    /// Close an incident, so that nothing more can be ordered for it
    Close(close::CloseArgs),
    /// List the incidents, newest first
    List(list::ListArgs),
    /// Show an incident and its letters
    Show(show::ShowArgs),
    /// Freeze a caller: every compartment refuses it from now on
    Freeze(freeze::FreezeArgs),
    /// Thaw a frozen caller: every compartment serves it again
    Thaw(freeze::ThawArgs),
    /// Compute the exposure from the logs: the people and fields that were read or within reach
    Scope(scope::ScopeArgs),
    /// Show which data of one person was exposed, by which host, and when
    Person(person::PersonArgs),
    /// Void the credentials of some customers, and end their sessions
    Void(void::VoidArgs),
    /// Publish the notice as a static page for the public
    Notice(notice::NoticeArgs),
    /// Show a report of everything known about an incident, or write it as an HTML page
    Report(report::ReportArgs),
    /// Show the journal, and check that its chain is whole
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
        IncidentCommand::Freeze(args) => freeze::freeze(args).await,
        IncidentCommand::Thaw(args) => freeze::thaw(args).await,
        IncidentCommand::Scope(args) => scope::run(args).await,
        IncidentCommand::Person(args) => person::run(args).await,
        IncidentCommand::Void(args) => void::run(args).await,
        IncidentCommand::Notice(args) => notice::run(args).await,
        IncidentCommand::Report(args) => report::run(args).await,
        IncidentCommand::Journal(args) => journal::run(args).await,
    }
}
