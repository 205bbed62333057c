//! How a letter stands.

use cofferdam_wire::Problem;
use response_api::{LedgerState, LetterId, LetterStatus};

use crate::app::App;
use crate::jobs::mailing::ResetPace;
use crate::routes::no_letter;

/// Counts the ledger, and asks the workers here.
pub async fn status(app: &App, letter: LetterId) -> Result<LetterStatus, Problem> {
    // The workers first: a letter that ended in between then shows its last counts.
    let run = app.sending.lock().await.get(&letter).cloned();
    let found = app.store.letter(letter).await?;
    let found = found.ok_or_else(|| no_letter(letter))?;
    let counts = app.store.counts(letter).await?;
    let people = LedgerState::ALL.into_iter().map(|state| (state, counts.of(state))).collect();
    let reset_pages = run.as_ref().and_then(|run| run.reset_pages.as_ref()).map(ResetPace::status);
    let (last_minute, providers, trouble) = match &run {
        Some(run) => (run.meter.last_minute(), run.provider_status(), run.trouble()),
        None => (0, vec![], None),
    };
    let mut status = LetterStatus {
        letter,
        audience: found.audience,
        state: found.state,
        version: found.version,
        people,
        last_minute,
        seconds_left: None,
        providers,
        reset_pages,
        trouble: trouble.or(Some(found.trouble).filter(|text| !text.is_empty())),
        started: found.started,
        finished: found.finished,
    };
    let seconds = run.as_ref().map_or(60, |run| run.meter.seconds());
    status.seconds_left = (status.open() * seconds).checked_div(last_minute);
    Ok(status)
}
