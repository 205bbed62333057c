//! The status of a letter.

use cofferdam_wire::Problem;
use response_api::{LedgerState, LetterId, LetterStatus};

use crate::app::App;

/// Counts the ledger, and asks the mail room of this instance.
pub async fn status(app: &App, id: LetterId) -> Result<LetterStatus, Problem> {
    // The mail room is asked first: a letter that ends in between then shows its last counts.
    let progress = app.letters.room.progress(id).await;
    let letter = app.letter(id).await?;
    let counts = app.store.counts(id).await?;
    let (perhaps_not_reached, not_understood) = app.store.count_returned(id).await?;
    let seconds = progress.as_ref().map_or(60, |progress| progress.seconds);
    let (last_minute, providers, reset_pages, trouble) = match progress {
        Some(here) => (here.last_minute, here.providers, here.reset_pages, here.trouble),
        None => (0, Vec::new(), None, None),
    };
    Ok(LetterStatus {
        letter: id,
        incident: letter.incident,
        audience: letter.audience,
        state: letter.state,
        version: letter.version,
        people: LedgerState::ALL.into_iter().map(|state| (state, counts.of(state))).collect(),
        perhaps_not_reached,
        not_understood,
        last_minute,
        seconds_left: (counts.open() * seconds).checked_div(last_minute),
        providers,
        reset_pages,
        // A letter that was paused says why; what its last connections met matters no longer.
        trouble: Some(letter.trouble).filter(|text| !text.is_empty()).or(trouble),
        started: letter.started,
        finished: letter.finished,
    })
}
