//! How a letter stands.

use cofferdam_wire::Problem;
use response_api::{LedgerState, LetterStatus};

use crate::app::App;
use crate::store::Letter;

/// Counts the ledger, and asks the workers.
pub async fn status(app: &App, letter: &Letter) -> Result<LetterStatus, Problem> {
    let internal = |e: cofferdam_store::StoreError| Problem::internal(&e);
    // The workers first: a letter that ended in between then shows its last counts.
    let (running, trouble) = match app.sending.lock().await.get(&letter.letter) {
        Some(sending) => (sending.is_running(), sending.trouble()),
        None => (false, None),
    };
    let counts = app.store.counts(letter.letter).await.map_err(internal)?;
    let fresh = app.store.letter(letter.letter).await.map_err(internal)?;
    let (started, finished) =
        fresh.map_or((letter.started, letter.finished), |l| (l.started, l.finished));
    Ok(LetterStatus {
        letter: letter.letter,
        audience: letter.audience,
        running,
        planned: counts.of(LedgerState::Planned),
        claimed: counts.of(LedgerState::Claimed),
        accepted: counts.of(LedgerState::Accepted),
        in_doubt: counts.of(LedgerState::InDoubt),
        bounced: counts.of(LedgerState::Bounced),
        suppressed: counts.of(LedgerState::Suppressed),
        trouble,
        started,
        finished,
    })
}
