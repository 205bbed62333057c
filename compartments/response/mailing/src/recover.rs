//! Recovery: settles the rows that earlier lives of this process left behind.

use crate::mailing::MailingError;
use crate::{LeftNotes, Ports};

/// The most outcomes that are recorded at once.
const CHUNK: usize = 4_000;

/// Records the notes of earlier workers of this machine, and releases or doubts the batches that
/// they held. Nobody else may use the notes meanwhile.
pub async fn recover(ports: &Ports) -> Result<(), MailingError> {
    for left in ports.notes.left_behind(ports.now())? {
        recover_worker(ports, &left).await?;
        ports.notes.forget(&left)?;
    }
    // No other process uses an exclusive ledger, so a batch that is still held lost its worker.
    if ports.ledger.is_exclusive() {
        for letter in ports.letters.all_letters().await? {
            for (batch, holder) in ports.ledger.held_batches(letter.letter).await? {
                let reason = ("the process ended, and its sending notes are missing", ports.now());
                ports.ledger.doubt_batch(letter.letter, &holder, batch, reason).await?;
            }
        }
    }
    Ok(())
}

async fn recover_worker(ports: &Ports, left: &LeftNotes) -> Result<(), MailingError> {
    let (ledger, letter, now) = (&ports.ledger, left.letter, ports.now());
    let finals: Vec<_> = left.outcomes.iter().filter(|o| o.is_final()).cloned().collect();
    for some in finals.chunks(CHUNK) {
        ledger.record(letter, Some(&left.holder), some).await?;
    }
    let held = ledger.held_batches(letter).await?;
    let held: Vec<_> = held.into_iter().filter(|(_, holder)| *holder == left.holder).collect();
    for (batch, _) in &held {
        if left.complete {
            ledger.release_batch(letter, &left.holder, *batch).await?;
        } else {
            let reason = ("the machine went down, and sending notes may be missing", now);
            ledger.doubt_batch(letter, &left.holder, *batch, reason).await?;
        }
    }
    // Another worker may have taken the batches over and doubted all of them. Letters that complete
    // notes do not name were never on the wire.
    let unsent =
        if left.complete { ledger.replan_unsent(letter, &left.holder, now).await? } else { 0 };
    let (outcomes, batches) = (finals.len(), held.len());
    tracing::warn!(
        letter = letter.0,
        outcomes,
        batches,
        unsent,
        "an earlier process left letters behind"
    );
    Ok(())
}
