//! Mail providers, in one letter.

pub mod pause;
pub mod resume;

use cofferdam_wire::Problem;
use response_api::{LETTER_NOT_RUNNING, LetterState};
use response_mailing::{Letter, OTHERS};

use crate::app::App;

/// Finds the number of a configured provider.
pub async fn configured_provider(app: &App, name: &str) -> Result<u16, Problem> {
    let providers = &app.config.letters.providers;
    if name != OTHERS && !providers.iter().any(|provider| provider.name == name) {
        return Err(Problem::not_found(format!("there is no mail provider {name}")));
    }
    Ok(app.store.provider_number(name).await?)
}

/// Refuses a letter that is not being sent.
pub fn check_running(letter: &Letter) -> Result<(), Problem> {
    if letter.state == LetterState::Running {
        return Ok(());
    }
    Err(Problem::new(LETTER_NOT_RUNNING, "the letter is not being sent"))
}
