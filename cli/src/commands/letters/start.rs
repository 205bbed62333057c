//! `cofferdam letters start`

use cofferdam_core::Reason;
use std::process::ExitCode;

use clap::Args;
use response_api::{Audience, LedgerState, LetterState, LetterStatus, ReadLetter, StartLetter};

use super::lines;
use crate::confirm::Confirm;
use crate::options::{CommandError, LetterArgs};
use crate::output::{self, Progress};
use crate::words;

/// `cofferdam letters start`
#[derive(Debug, Args)]
pub struct StartArgs {
    #[command(flatten)]
    of: LetterArgs,
    /// Write to customers before staff were told, for this reason; the journal keeps it
    #[arg(long, value_name = "REASON")]
    before_staff: Option<Reason>,
    /// Return at once, without following the letter's progress
    #[arg(long)]
    detach: bool,
    #[command(flatten)]
    confirm: Confirm,
}

/// Starts a letter and follows it. A running letter is only followed. Fails if a row is left
/// without an outcome.
pub async fn run(args: StartArgs) -> Result<ExitCode, CommandError> {
    let StartArgs { of, before_staff, detach, confirm } = args;
    let (client, letter) = (of.response.client()?, of.letter);
    let mut status = staff::call(&client, &ReadLetter { letter }).await?;
    let over = status.state == LetterState::Finished && status.open() == 0;
    if status.state != LetterState::Running && !over {
        confirm.ask(&step(&status))?;
        status = staff::call(&client, &StartLetter { letter, before_staff }).await?;
    }
    if !detach && !over {
        let mut bar = Progress::new("letters");
        let progress = |status: &LetterStatus| {
            bar.set(status.total() - status.open(), status.total());
        };
        status = staff::letters::follow(&client, status, progress).await?;
    }
    of.response.print(&status, lines::lines)?;
    if detach && status.state == LetterState::Running {
        output::next(&format!("cofferdam letters show {letter}"));
        return Ok(ExitCode::SUCCESS);
    }
    Ok(conclude(&status))
}

fn step(status: &LetterStatus) -> Vec<String> {
    let people = words::number(status.open());
    let version = match &status.version {
        Some(version) => format!("  version {version}"),
        None => "  no version of it is approved yet".to_owned(),
    };
    let audience = status.audience.as_str();
    vec![format!("send letter {} to {people} {audience} by e-mail", status.letter), version]
}

/// Prints the next step. Fails if a row is left without an outcome.
fn conclude(status: &LetterStatus) -> ExitCode {
    let (letter, incident) = (status.letter, status.incident);
    if status.open() > 0 {
        let left = words::number(status.open());
        let why = status.trouble.as_deref().unwrap_or("the letter was paused or stopped");
        output::note(&format!("{left} letters are not out: {}", staff::printable(why)));
        output::next(&format!("cofferdam letters start {letter}"));
        return ExitCode::FAILURE;
    }
    if status.of(LedgerState::InDoubt) > 0 {
        output::next(&format!("cofferdam letters settle {letter} --log FILE"));
    }
    match status.audience {
        Audience::Staff => output::next(&format!(
            "cofferdam letters plan --incident {incident} --audience customers"
        )),
        Audience::Customers => {
            output::next(&format!(
                "cofferdam order draft paper-post {letter} --out paper-post-{letter}.order"
            ));
            output::next(&format!("cofferdam incident notice {incident}"));
        }
    }
    ExitCode::SUCCESS
}
