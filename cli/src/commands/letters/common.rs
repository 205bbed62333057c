//! The common part of the commands about one letter.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use cofferdam_core::Call;
use response_api::{LetterId, LetterStatus};

use super::show;
use crate::command::{CommandError, Common};

/// One letter.
#[derive(Debug, Args)]
pub struct OneLetter {
    /// The letter's number, as `incident letters` and `letters status` say it
    #[arg(value_parser = letter_number)]
    pub letter: LetterId,
    #[command(flatten)]
    pub common: Common,
}

impl OneLetter {
    /// Makes a call whose answer is the letter's status, and shows that.
    pub async fn call_and_show<C>(&self, call: &C) -> Result<ExitCode, CommandError>
    where
        C: Call<Answer = LetterStatus> + Sync,
    {
        let status = staff::call(&self.common.client()?, call).await?;
        self.common.print(&status, show::lines)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn letter_number(text: &str) -> Result<LetterId, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(LetterId(number)),
        _ => Err("a letter's number is 1 or more".to_owned()),
    }
}

/// Refuses to write over a file.
pub fn check_new(out: &Path) -> Result<(), CommandError> {
    if out.exists() {
        return Err(format!("{} is there already; choose another --out", out.display()).into());
    }
    Ok(())
}
