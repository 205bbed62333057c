//! `cofferdam letters pause` and `resume`

use std::process::ExitCode;

use clap::Args;
use cofferdam_wire::Client;
use response_api::{
    LetterId, LetterState, LetterStatus, PauseLetter, PauseProvider, ReadLetter, ResumeProvider,
    StartLetter,
};

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
        None => resume_letter(&client, letter).await?,
    };
    of.response.print(&status, lines::lines)?;
    output::next(&format!("cofferdam letters show {letter}"));
    Ok(ExitCode::SUCCESS)
}

/// Lets a paused letter go on. A letter that never started is started with `letters start`, which shows
/// to how many people it goes, and asks.
async fn resume_letter(client: &Client, letter: LetterId) -> Result<LetterStatus, CommandError> {
    let state = staff::call(client, &ReadLetter { letter }).await?.state;
    if state != LetterState::Paused {
        let state = state.as_str();
        return Err(format!(
            "letter {letter} is {state}, and only a paused letter is resumed; to send it: cofferdam \
             letters start {letter}"
        )
        .into());
    }
    Ok(staff::call(client, &StartLetter { letter, before_staff: None }).await?)
}
