//! `cofferdam incident`: the response, step by step.

mod alarms;
mod budget;
mod declare;
mod freeze;
mod journal;
mod letters;
mod list;
mod notice;
mod person;
mod report;
mod scope;
mod void;

use std::process::ExitCode;

use clap::Subcommand;

use crate::command::CommandError;

/// `cofferdam incident`
#[derive(Debug, Subcommand)]
pub enum IncidentCommand {
    /// Declare an incident: what fell, since when, how it was found; its clocks start
    Declare(declare::DeclareArgs),
    /// Compute who is exposed, from the copied release log alone
    Scope(scope::ScopeArgs),
    /// Say what became of one person's data: by what host, and when
    Person(person::PersonArgs),
    /// Refuse a caller everything in every compartment, or no longer
    Freeze(freeze::FreezeArgs),
    /// Lower what a caller may take, or give it back
    Budget(budget::BudgetArgs),
    /// Void credentials and end sessions: everybody's, of those exposed, or of those in a file
    Void(void::VoidArgs),
    /// Write to staff, then to customers; run again, it goes on where it stopped
    Letters(letters::LettersArgs),
    /// Publish the notice as a static page
    Notice(notice::NoticeArgs),
    /// Write down what is known of an incident
    Report(report::ReportArgs),
    /// List the incidents, newest first
    List(list::ListArgs),
    /// Show the journal, and check that it is whole
    Journal(journal::JournalArgs),
    /// List the alarms, oldest first
    Alarms(alarms::AlarmsArgs),
}

/// Runs one of the commands.
pub async fn run(command: IncidentCommand) -> Result<ExitCode, CommandError> {
    match command {
        IncidentCommand::Declare(args) => declare::run(args).await,
        IncidentCommand::Scope(args) => scope::run(args).await,
        IncidentCommand::Person(args) => person::run(args).await,
        IncidentCommand::Freeze(args) => freeze::run(args).await,
        IncidentCommand::Budget(args) => budget::run(args).await,
        IncidentCommand::Void(args) => void::run(args).await,
        IncidentCommand::Letters(args) => letters::run(args).await,
        IncidentCommand::Notice(args) => notice::run(args).await,
        IncidentCommand::Report(args) => report::run(args).await,
        IncidentCommand::List(args) => list::run(args).await,
        IncidentCommand::Journal(args) => journal::run(args).await,
        IncidentCommand::Alarms(args) => alarms::run(args).await,
    }
}
