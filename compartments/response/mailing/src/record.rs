//! Recording outcomes in the ledger, many at once, and keeping the lease.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cofferdam_core::Timestamp;
use jiff::SignedDuration;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::mailing::{LEASE, Mailing, PendingOutcome};
use crate::{LedgerError, Outcome, Postponement};

/// The longest time that an outcome waits to be recorded.
const FLUSH_EVERY: Duration = Duration::from_millis(200);
const FLUSH_AT: usize = 4_000;
/// The most rows that are put off together: the size of a planned batch.
const BATCH: usize = 1_000;
/// The pause between attempts while the ledger fails.
const RETRY: Duration = Duration::from_secs(1);
/// The time between two renewals of the lease.
const RENEW_EVERY: Duration = Duration::from_secs(15);
/// The time after which an untried row is due again.
const UNTRIED_DUE_AFTER: SignedDuration = SignedDuration::from_secs(5);

/// Records outcomes until no more will come.
pub async fn record_outcomes(
    mailing: Arc<Mailing>,
    mut incoming: mpsc::UnboundedReceiver<PendingOutcome>,
) {
    let mut pending = Vec::with_capacity(FLUSH_AT);
    let mut renewed = Instant::now();
    loop {
        let has_ended = collect(&mut incoming, &mut pending).await;
        flush(&mailing, &mut pending).await;
        if renewed.elapsed() >= RENEW_EVERY {
            renewed = Instant::now();
            renew_lease(&mailing).await;
        }
        let is_sealed = mailing.is_sealed.load(Ordering::Acquire);
        if has_ended || (is_sealed && incoming.is_empty()) {
            return;
        }
    }
}

/// Collects outcomes for a while; `true` once every sender is gone.
async fn collect(
    incoming: &mut mpsc::UnboundedReceiver<PendingOutcome>,
    pending: &mut Vec<PendingOutcome>,
) -> bool {
    let flush_at = Instant::now() + FLUSH_EVERY;
    while pending.len() < FLUSH_AT {
        match tokio::time::timeout_at(flush_at, incoming.recv()).await {
            Ok(Some(outcome)) => pending.push(outcome),
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
    false
}

/// Extends the lease. A worker that was silent past its lease drops everything, because another
/// worker may hold its batches by now.
async fn renew_lease(mailing: &Mailing) {
    let now = mailing.ports.now();
    if mailing.has_lost_lease(now) {
        mailing.set_trouble(Some("the database was away for longer than the lease".to_owned()));
        return mailing.halt();
    }
    let until = now.saturating_add(LEASE).unwrap_or(now);
    let holds_any = || mailing.held_count.load(Ordering::Acquire) > 0;
    let held_any = holds_any();
    match mailing.ports.ledger.renew(mailing.letter.letter, &mailing.holder, until).await {
        // Batches may also have ended meanwhile, so only those held before and after count.
        Ok(0) if held_any && holds_any() => {
            mailing.set_trouble(Some("another worker took over this worker's batches".to_owned()));
            mailing.halt();
        }
        Ok(_) => mailing.extend_lease(until),
        Err(e) => tracing::warn!(cause = %e, "the lease could not be extended"),
    }
}

/// Writes all outcomes, however often the ledger fails: an outcome that is lost leaves a doubt.
async fn flush(mailing: &Mailing, pending: &mut Vec<PendingOutcome>) {
    if pending.is_empty() {
        return;
    }
    while let Err(e) = write_outcomes(mailing, pending).await {
        tracing::warn!(cause = %e, "outcomes could not be recorded; trying again");
        mailing.set_trouble(Some(format!("outcomes can't be recorded: {e}")));
        tokio::time::sleep(RETRY).await;
    }
    let notes: Vec<_> = pending.iter().filter_map(|pending| pending.note).collect();
    if let Err(e) = mailing.notes.recorded(&notes) {
        tracing::warn!(cause = %e, "sending notes can't be trimmed");
    }
    let mut final_count = 0;
    for pending in pending.drain(..) {
        final_count += u64::from(pending.outcome.is_final());
        mailing.pending_count.fetch_sub(1, Ordering::AcqRel);
        if pending.batch.unrecorded.fetch_sub(1, Ordering::AcqRel) == 1 {
            end_batch(mailing, pending.batch.batch).await;
        }
    }
    mailing.meter.add(final_count);
}

async fn end_batch(mailing: &Mailing, batch: u32) {
    mailing.held_count.fetch_sub(1, Ordering::AcqRel);
    mailing.stirred.notify_waiters();
    // A batch that is not removed is claimed again, and found empty.
    if let Err(e) = mailing.ports.ledger.end_batch(mailing.letter.letter, batch).await {
        tracing::warn!(cause = %e, "a finished batch could not be removed");
    }
}

async fn write_outcomes(mailing: &Mailing, pending: &[PendingOutcome]) -> Result<(), LedgerError> {
    let now = mailing.ports.now();
    let mut finals = Vec::with_capacity(pending.len());
    let mut put_off: BTreeMap<(u16, u16, bool), Vec<Outcome>> = BTreeMap::new();
    for PendingOutcome { batch, outcome, tried, .. } in pending {
        if outcome.is_final() {
            finals.push(outcome.clone());
        } else {
            let together = (outcome.provider, batch.attempts, *tried);
            put_off.entry(together).or_default().push(outcome.clone());
        }
    }
    let (ledger, letter) = (&mailing.ports.ledger, mailing.letter.letter);
    ledger.record(letter, Some(&mailing.holder), &finals).await?;
    for ((provider, before, tried), rows) in put_off {
        let attempts = before.saturating_add(u16::from(tried));
        let due = due_at(mailing, attempts, tried, now);
        let postponement = Postponement { provider, attempts, due };
        for some in rows.chunks(BATCH) {
            ledger.put_off(letter, &mailing.holder, some, postponement).await?;
        }
    }
    Ok(())
}

fn due_at(mailing: &Mailing, attempts: u16, tried: bool, now: Timestamp) -> Timestamp {
    let pause = if tried {
        let chance = u16::from_be_bytes(mailing.ports.rng.bytes());
        mailing.ports.rules.retry.pause(attempts, chance)
    } else {
        UNTRIED_DUE_AFTER
    };
    now.saturating_add(pause).unwrap_or(now)
}
