//! `cofferdam letters`: letters to staff and to customers, step by step.

mod ledger;
mod lines;
mod pause;
mod plan;
mod preview;
mod returned;
mod settle;
mod start;
mod stop;
mod test;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use response_api::{IncidentId, LetterStatus, ListLetters, ReadLetter};

use crate::columns;
use crate::options::{CommandError, LetterArgs, ResponseArgs, incident_number};

pub use lines::summary;
pub use returned::ReadMail;
pub use test::TestSent;

/// `cofferdam letters`
#[derive(Debug, Subcommand)]
pub enum LettersCommand {
    /// Plan a letter: write a ledger row for each person, and print the letter's number
    Plan(plan::PlanArgs),
    /// List the letters
    List(ListArgs),
    /// Show a letter's counts, its pace and its mail providers
    Show(LetterArgs),
    /// Preview every text of a letter as it would be written now
    Preview(preview::PreviewArgs),
    /// Send one text to a person on the staff list, as a test
    Test(test::TestArgs),
    /// Start an approved letter, and follow its progress
    Start(start::StartArgs),
    /// Pause a letter, or its mail to one mail provider
    Pause(pause::PauseArgs),
    /// Resume a paused letter, or its mail to one mail provider
    Resume(pause::ResumeArgs),
    /// Stop a letter before everybody has got it
    Stop(stop::StopArgs),
    /// Settle letters in doubt from the relay's own log
    Settle(settle::SettleArgs),
    /// Look at what came back from a letter and was not understood
    #[command(subcommand)]
    Returned(returned::ReturnedCommand),
    /// Show the ledger, which has one row a person
    Ledger(ledger::LedgerArgs),
}

/// `cofferdam letters list`
#[derive(Debug, Args)]
pub struct ListArgs {
    /// List only the letters of this incident
    #[arg(long, value_parser = incident_number)]
    incident: Option<IncidentId>,
    #[command(flatten)]
    response: ResponseArgs,
}

/// Runs one of the commands.
pub async fn run(command: LettersCommand) -> Result<ExitCode, CommandError> {
    match command {
        LettersCommand::Plan(args) => plan::run(args).await,
        LettersCommand::List(args) => list(args).await,
        LettersCommand::Show(args) => show(args).await,
        LettersCommand::Preview(args) => preview::run(args).await,
        LettersCommand::Test(args) => test::run(args).await,
        LettersCommand::Start(args) => start::run(args).await,
        LettersCommand::Pause(args) => pause::pause(args).await,
        LettersCommand::Resume(args) => pause::resume(args).await,
        LettersCommand::Stop(args) => stop::run(args).await,
        LettersCommand::Settle(args) => settle::run(args).await,
        LettersCommand::Returned(command) => returned::run(command).await,
        LettersCommand::Ledger(args) => ledger::run(args).await,
    }
}

async fn list(args: ListArgs) -> Result<ExitCode, CommandError> {
    let call = ListLetters { incident: args.incident };
    let letters = staff::call(&args.response.client()?, &call).await?;
    let row = |of: &LetterStatus| {
        let counts = lines::counts(of);
        [vec![of.letter.to_string(), of.incident.to_string()], counts].concat()
    };
    args.response.print(&letters, |letters| {
        let head = ["letter", "incident", "to", "state", "accepted", "in doubt", "bounced", "open"];
        columns::listing(head, letters, row, "no letter was planned")
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn show(args: LetterArgs) -> Result<ExitCode, CommandError> {
    let status = staff::call(&args.response.client()?, &ReadLetter { letter: args.letter }).await?;
    args.response.print(&status, lines::lines)?;
    Ok(ExitCode::SUCCESS)
}
