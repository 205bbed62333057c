//! `cofferdam letters pause` and `resume`

use std::process::ExitCode;

use clap::Args;
use response_api::{PauseLetter, PauseProvider, ResumeProvider, StartLetter};

use super::lines;
use crate::options::{CommandError, LetterArgs};
use crate::output;

/// `cofferdam letters pause`
#[derive(Debug, Args)]
pub struct PauseArgs {
    #[command(flatten)]
    of: LetterArgs,
    /// Pause only the mail to this mail provider, as `letters show` names it
    #[arg(long)]
    provider: Option<String>,
}

/// `cofferdam letters resume`
#[derive(Debug, Args)]
pub struct ResumeArgs {
    #[command(flatten)]
    of: LetterArgs,
    /// Resume only the mail to this mail provider, as `letters show` names it
    #[arg(long)]
    provider: Option<String>,
}

/// Pauses a letter, or its mail to one provider.
pub async fn pause(args: PauseArgs) -> Result<ExitCode, CommandError> {
    let PauseArgs { of, provider } = args;
    let (client, letter) = (of.response.client()?, of.letter);
    let mut resume = format!("cofferdam letters resume {letter}");
    let status = match provider {
        Some(provider) => {
            resume = format!("{resume} --provider {provider}");
            staff::call(&client, &PauseProvider { letter, provider }).await?
        }
        None => staff::call(&client, &PauseLetter { letter }).await?,
    };
    of.response.print(&status, lines::lines)?;
    output::next(&resume);
    Ok(ExitCode::SUCCESS)
}

/// Resumes a letter, or its mail to one provider.
pub async fn resume(args: ResumeArgs) -> Result<ExitCode, CommandError> {
    let ResumeArgs { of, provider } = args;
    let (client, letter) = (of.response.client()?, of.letter);
    let status = match provider {
        Some(provider) => staff::call(&client, &ResumeProvider { letter, provider }).await?,
        None => staff::call(&client, &StartLetter { letter, before_staff: None }).await?,
    };
    of.response.print(&status, lines::lines)?;
    output::next(&format!("cofferdam letters show {letter}"));
    Ok(ExitCode::SUCCESS)
}
