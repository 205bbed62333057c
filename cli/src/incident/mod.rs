//! `cofferdam incident …`: the operator's hand in a response. Each step is a function that takes
//! a client of `response` and typed arguments, and a command around it; the drill calls the same
//! functions.

pub mod alarms;
mod budget;
pub mod declare;
mod error;
pub mod freeze;
pub mod journal;
pub mod letters;
pub mod list;
pub mod notice;
pub mod person;
pub mod report;
pub mod scope;
pub mod table;
pub mod void;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use cofferdam_core::CallerName;
use cofferdam_wire::Client;
use response_api::IncidentId;
use serde::Serialize;

use crate::CommandError;
use crate::connect::Estate;
use crate::output;

pub use error::StepError;

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

/// What every command takes.
#[derive(Debug, Args)]
pub struct Common {
    /// The estate's directory
    #[arg(long, value_name = "DIR", default_value = "./estate")]
    dir: PathBuf,
    /// The caller whose certificate is shown
    #[arg(long = "as", value_name = "CALLER", default_value = "operator-1")]
    identity: CallerName,
    /// Print the answer as JSON
    #[arg(long)]
    pub json: bool,
}

impl Common {
    /// A client of the estate's `response`.
    pub fn client(&self) -> Result<Client, CommandError> {
        Ok(Estate::open(&self.dir)?.response(&self.identity)?)
    }

    /// Prints an answer: as JSON where that was asked for, else as `lines`.
    pub fn print<T: Serialize>(
        &self,
        answer: &T,
        lines: impl FnOnce(&T) -> Vec<String>,
    ) -> Result<(), CommandError> {
        if self.json {
            output::json(answer)?;
        } else {
            for line in lines(answer) {
                output::line(&line);
            }
        }
        Ok(())
    }
}

/// The number of an incident on the command line.
pub fn incident_number(text: &str) -> Result<IncidentId, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(IncidentId(number)),
        _ => Err("an incident's number is 1 or more; see `cofferdam incident list`".to_owned()),
    }
}
