//! `cofferdam letters stop`

use cofferdam_core::Reason;
use std::process::ExitCode;

use clap::Args;
use response_api::{ReadLetter, StopLetter};

use super::lines;
use crate::confirm::Confirm;
use crate::options::{CommandError, LetterArgs};
use crate::{output, words};

/// `cofferdam letters stop`
#[derive(Debug, Args)]
pub struct StopArgs {
    #[command(flatten)]
    of: LetterArgs,
    /// The reason, without personal data; the journal keeps it
    #[arg(long, value_name = "TEXT")]
    reason: Reason,
    #[command(flatten)]
    confirm: Confirm,
}

/// Stops a letter after a question, and closes its warrant.
pub async fn run(args: StopArgs) -> Result<ExitCode, CommandError> {
    let StopArgs { of, reason, confirm } = args;
    let (client, letter) = (of.response.client()?, of.letter);
    let status = staff::call(&client, &ReadLetter { letter }).await?;
    confirm.ask(&[format!(
        "end letter {letter} with {} people not written to, and close its warrant: it goes on only \
         with a new approval by two. To let it rest instead: cofferdam letters pause {letter}",
        words::number(status.open())
    )])?;
    let status = staff::call(&client, &StopLetter { letter, reason }).await?;
    of.response.print(&status, lines::lines)?;
    output::next(&format!("cofferdam order draft letter {letter} --out letter-{letter}.order"));
    Ok(ExitCode::SUCCESS)
}
