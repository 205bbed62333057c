//! Provider pauses, shared through the ledger. A pause that one worker finds due holds for all
//! workers, and a command that staff give to one worker reaches every worker.

use std::sync::Arc;
use std::time::Duration;

use crate::LedgerError;
use crate::mailing::Mailing;
use crate::pace::Pause;

const FOLLOW_EVERY: Duration = Duration::from_millis(500);

/// Follows the pauses in the ledger until the mailing ends.
pub async fn follow_pauses(mailing: Arc<Mailing>) {
    while !mailing.must_stop() {
        tokio::time::sleep(FOLLOW_EVERY).await;
        if let Err(e) = exchange_pauses(&mailing).await {
            tracing::warn!(cause = %e, "the pauses of mail providers could not be followed");
        }
    }
}

/// Writes new pauses into the ledger, and adopts those of the ledger.
pub async fn exchange_pauses(mailing: &Mailing) -> Result<(), LedgerError> {
    let (letters, letter) = (&mailing.ports.letters, mailing.letter.letter);
    for lane in &mailing.lanes {
        let new = lane.pace().paused.clone().filter(|pause| !pause.in_ledger);
        if let Some(Pause { reason, .. }) = new {
            letters.pause_provider(letter, lane.provider, &reason, mailing.ports.now()).await?;
            lane.pace().paused = Some(Pause { reason, in_ledger: true });
        }
    }
    let pauses = letters.provider_pauses(letter).await?;
    for lane in &mailing.lanes {
        lane.follow_ledger(pauses.get(&lane.provider));
    }
    mailing.stirred.notify_waiters();
    Ok(())
}
