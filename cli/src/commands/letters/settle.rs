//! `cofferdam letters settle`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use response_api::{LedgerState, ReadLetter};
use staff::settle::settle;

use super::lines;
use crate::confirm::Confirm;
use crate::options::{CommandError, LetterArgs};
use crate::{output, words};

/// `cofferdam letters settle`
#[derive(Debug, Args)]
pub struct SettleArgs {
    #[command(flatten)]
    of: LetterArgs,
    /// The relay's log files (Postfix), oldest first
    #[arg(long = "log", required = true, value_name = "FILE")]
    logs: Vec<PathBuf>,
    /// Declare that the log is whole since the letter began: letters that it does not name are sent
    /// again
    #[arg(long)]
    complete: bool,
    #[command(flatten)]
    confirm: Confirm,
}

/// Settles letters in doubt from the relay's log.
pub async fn run(args: SettleArgs) -> Result<ExitCode, CommandError> {
    let SettleArgs { of, logs, complete, confirm } = args;
    let (client, letter) = (of.response.client()?, of.letter);
    if complete {
        let status = staff::call(&client, &ReadLetter { letter }).await?;
        confirm.ask(&[format!(
            "plan again those of the {} letters in doubt that these logs do not name: if the logs \
             are not whole, some people get the letter twice",
            words::number(status.of(LedgerState::InDoubt))
        )])?;
    }
    let settled = settle(&client, letter, &logs, complete).await?;
    of.response.print(&settled, |settled| {
        let head = format!(
            "{} were accepted by the relay, {} are planned again",
            words::number(settled.accepted),
            words::number(settled.planned)
        );
        std::iter::once(head).chain(lines::lines(&settled.status)).collect()
    })?;
    if settled.planned > 0 {
        output::next(&format!("cofferdam letters start {letter}"));
    }
    Ok(ExitCode::SUCCESS)
}
