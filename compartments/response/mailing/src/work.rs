//! The tasks of one mailing, from its start to its end.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use response_api::LedgerState;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::feed::feed_lanes;
use crate::mailing::{Mailing, MailingError, PendingOutcome};
use crate::pauses::follow_pauses;
use crate::record::record_outcomes;
use crate::reset_pages::follow_load;
use crate::send::send_lane;
use crate::{Letter, Ports};

const FEEDERS: usize = 2;
/// The time between two checks for the end of the letter.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// The time between two checks of the leases of other workers.
const TAKE_OVER_EVERY: Duration = Duration::from_secs(10);
/// The number of attempts to close a mailing while the ledger fails.
const CLOSING_TRIES: u32 = 60;
const CLOSING_PAUSE: Duration = Duration::from_secs(1);

/// The way in which the tasks ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Every row has an outcome.
    Finished,
    /// The mailing was told to stop.
    Stopped,
    /// A task failed. The letters that it had on the wire are unknown.
    Failed,
}

/// Sends a letter until it is finished or stopped. Leaves no batch claimed.
pub async fn send_letter(mailing: Arc<Mailing>, outcomes: mpsc::UnboundedReceiver<PendingOutcome>) {
    let mut senders = JoinSet::new();
    for _ in 0..FEEDERS {
        senders.spawn(feed_lanes(mailing.clone()));
    }
    for (place, lane) in mailing.lanes.iter().enumerate() {
        for _ in 0..lane.connections {
            senders.spawn(send_lane(mailing.clone(), place));
        }
    }
    let load = tokio::spawn(follow_load(mailing.clone()));
    let pauses = tokio::spawn(follow_pauses(mailing.clone()));
    let recorder = tokio::spawn(record_outcomes(mailing.clone(), outcomes));

    let end = wait_for_end(&mailing, &mut senders).await;
    mailing.halt();
    let mut all_sound = end != End::Failed;
    while let Some(ended) = senders.join_next().await {
        all_sound &= ended.is_ok();
    }
    // This task only reads, so stopping it loses nothing.
    load.abort();
    // This task still writes new pauses down, and ends by itself.
    let _ = pauses.await;
    mailing.lanes.iter().for_each(crate::lane::Lane::clear);
    mailing.is_sealed.store(true, Ordering::Release);
    all_sound &= recorder.await.is_ok();
    // After a failure the notes stay: the next life of this process settles them.
    if all_sound {
        close_repeatedly(&mailing, end == End::Finished).await;
    }
}

async fn wait_for_end(mailing: &Mailing, senders: &mut JoinSet<()>) -> End {
    let mut took_over = Instant::now();
    while !mailing.must_stop() {
        let _ = tokio::time::timeout(LOOK_EVERY, mailing.stirred.notified()).await;
        // A task that ends before the mailing has failed.
        if let Some(Err(e)) = senders.try_join_next() {
            mailing.set_trouble(Some(format!("a worker failed: {e}")));
            return End::Failed;
        }
        if took_over.elapsed() >= TAKE_OVER_EVERY {
            took_over = Instant::now();
            take_over(mailing).await;
        }
        if is_finished(mailing).await {
            return End::Finished;
        }
    }
    End::Stopped
}

async fn take_over(mailing: &Mailing) {
    match mailing.ports.ledger.take_over(mailing.letter.letter, mailing.ports.now()).await {
        Ok(0) => {}
        Ok(rows) => tracing::warn!(rows, "rows of a silent worker are in doubt"),
        Err(e) => tracing::warn!(cause = %e, "the leases of other workers can't be read"),
    }
}

async fn is_finished(mailing: &Mailing) -> bool {
    let is_idle = mailing.held_count.load(Ordering::Acquire) == 0
        && mailing.pending_count.load(Ordering::Acquire) == 0;
    if !is_idle {
        return false;
    }
    let counts = mailing.ports.ledger.counts(mailing.letter.letter).await;
    counts.is_ok_and(|counts| counts.open() == 0)
}

/// Closes a mailing, with further attempts while the ledger fails. Otherwise letters that were
/// never sent would be in doubt.
async fn close_repeatedly(mailing: &Mailing, is_finished: bool) {
    for attempt in 1.. {
        match close(mailing, is_finished).await {
            Ok(()) => return,
            Err(e) if attempt == CLOSING_TRIES => {
                let letter = mailing.letter.letter.0;
                return tracing::error!(cause = %e, letter, "a mailing's end was not recorded");
            }
            Err(_) => tokio::time::sleep(CLOSING_PAUSE).await,
        }
    }
}

/// Releases untried rows, and finishes a letter without open rows.
async fn close(mailing: &Mailing, is_finished: bool) -> Result<(), MailingError> {
    let (ports, letter, holder) = (&mailing.ports, mailing.letter.letter, &mailing.holder);
    for (batch, other) in ports.ledger.held_batches(letter).await? {
        if other == *holder {
            ports.ledger.release_batch(letter, holder, batch).await?;
        }
    }
    // Every letter that this worker sent has its outcome by now. Rows that others doubted because
    // of its silence were never sent.
    ports.ledger.replan_unsent(letter, holder, ports.now()).await?;
    mailing.notes.end()?;
    if is_finished && ports.letters.finish_letter(letter, ports.now()).await? {
        close_contacts(ports, &mailing.letter).await?;
    }
    Ok(())
}

/// Ends the right to read contacts once every row of the letter has a final outcome and none is in
/// doubt, because doubted letters may have to be sent again.
pub async fn close_contacts(ports: &Ports, letter: &Letter) -> Result<(), MailingError> {
    let counts = ports.ledger.counts(letter.letter).await?;
    if counts.of(LedgerState::InDoubt) == 0
        && counts.open() == 0
        && let Err(e) = ports.contacts.close(letter).await
    {
        tracing::error!(cause = %e, "the right to read a letter's contacts could not be ended");
    }
    Ok(())
}
