//! Outcomes on their way to the ledger, many at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cofferdam_core::Timestamp;
use cofferdam_store::StoreError;
use jiff::SignedDuration;
use response_api::LedgerState;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::lane::Held;
use super::run::Run;
use crate::RetryConfig;
use crate::store::{Outcome, Put};

/// How long an outcome may wait, and how many.
const FLUSH_EVERY: Duration = Duration::from_millis(200);
const FLUSH_AT: usize = 4_000;
/// Rows that are put off together at most: as many as a batch has from the start.
const BATCH: usize = 1_000;
/// Between tries when the database fails.
const RETRY: Duration = Duration::from_secs(1);
/// How long a worker holds a batch without a sign of life, and how often it gives one.
pub const LEASE: SignedDuration = SignedDuration::from_secs(60);
const RENEW_EVERY: Duration = Duration::from_secs(15);

/// What became of a letter.
pub struct Result_ {
    pub held: Arc<Held>,
    pub outcome: Outcome,
    /// Where the journal says that it was being sent, if it was.
    pub noted: Option<u64>,
    /// Not counted as an attempt: it was not tried.
    pub untried: bool,
}

/// Takes results until all senders are gone.
pub async fn record(run: Arc<Run>, mut results: mpsc::UnboundedReceiver<Result_>) {
    let mut pending = Vec::with_capacity(FLUSH_AT);
    let mut renewed = Instant::now();
    loop {
        let flush = Instant::now() + FLUSH_EVERY;
        let mut ended = false;
        while pending.len() < FLUSH_AT {
            match tokio::time::timeout_at(flush, results.recv()).await {
                Ok(Some(result)) => pending.push(result),
                Ok(None) => {
                    ended = true;
                    break;
                }
                Err(_) => break,
            }
        }
        flush_all(&run, &mut pending).await;
        if renewed.elapsed() >= RENEW_EVERY {
            renewed = Instant::now();
            renew(&run).await;
        }
        if ended || (run.sealed.load(Ordering::Acquire) && results.is_empty()) {
            return;
        }
    }
}

/// Says that this worker lives. One that was silent past its lease lets everything go: somebody
/// else may answer for it by now.
async fn renew(run: &Run) {
    let now = run.app.now();
    if now.as_millisecond() > run.leased_until.load(Ordering::Acquire) {
        run.set_trouble(Some("the database was away for longer than the lease".to_owned()));
        return run.halt();
    }
    let until = now.saturating_add(LEASE).unwrap_or(now);
    let held = || run.held.load(Ordering::Acquire) > 0;
    let held_before = held();
    match run.app.store.renew(run.letter.letter, &run.holder, until).await {
        Ok(0) if held_before && held() => {
            run.set_trouble(Some("another worker took over what this one held".to_owned()));
            run.halt();
        }
        Ok(_) => run.leased_until.store(until.as_millisecond(), Ordering::Release),
        Err(e) => tracing::warn!(cause = %e, "leases could not be renewed"),
    }
}

/// Writes everything down, however often the database fails: what is not recorded is in doubt.
async fn flush_all(run: &Run, pending: &mut Vec<Result_>) {
    if pending.is_empty() {
        return;
    }
    while let Err(e) = flush(run, pending).await {
        tracing::warn!(cause = %e, "outcomes could not be recorded; trying again");
        run.set_trouble(Some(format!("outcomes can't be recorded: {e}")));
        tokio::time::sleep(RETRY).await;
    }
    let numbers: Vec<_> = pending.iter().filter_map(|result| result.noted).collect();
    if let Err(e) = run.journal.learned(&numbers) {
        tracing::warn!(cause = %e, "the journal of letters can't be trimmed");
    }
    let mut done = 0;
    for result in pending.drain(..) {
        done += u64::from(is_final(result.outcome.state));
        run.unrecorded.fetch_sub(1, Ordering::AcqRel);
        if result.held.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            end_batch(run, result.held.batch).await;
        }
    }
    run.meter.add(done);
}

async fn end_batch(run: &Run, batch: u32) {
    run.held.fetch_sub(1, Ordering::AcqRel);
    run.stirred.notify_waiters();
    // One that stays is found empty by whoever takes it next.
    if let Err(e) = run.app.store.end_batch(run.letter.letter, batch).await {
        tracing::warn!(cause = %e, "a batch that is done could not be removed");
    }
}

async fn flush(run: &Run, pending: &[Result_]) -> Result<(), StoreError> {
    let now = run.app.now();
    let mut finals = Vec::with_capacity(pending.len());
    let mut put_off: BTreeMap<(u16, u16, bool), Vec<Outcome>> = BTreeMap::new();
    for result in pending {
        if is_final(result.outcome.state) {
            finals.push(result.outcome.clone());
        } else {
            let key = (result.outcome.provider, result.held.attempts, result.untried);
            put_off.entry(key).or_default().push(result.outcome.clone());
        }
    }
    let letter = run.letter.letter;
    run.app.store.record(letter, Some(&run.holder), &finals).await?;
    for ((provider, before, untried), rows) in put_off {
        let attempts = if untried { before } else { before.saturating_add(1) };
        let due = if untried { soon(now) } else { again(run, attempts, now) };
        let put = Put { provider, attempts, due };
        for some in rows.chunks(BATCH) {
            run.app.store.put_off(letter, &run.holder, some, put).await?;
        }
    }
    Ok(())
}

const fn is_final(state: LedgerState) -> bool {
    !matches!(state, LedgerState::Planned | LedgerState::Deferred)
}

/// What was only in the way comes back shortly.
fn soon(now: Timestamp) -> Timestamp {
    now.saturating_add(SignedDuration::from_secs(5)).unwrap_or(now)
}

fn again(run: &Run, attempts: u16, now: Timestamp) -> Timestamp {
    let chance = u16::from_be_bytes(run.app.rng.bytes());
    now.saturating_add(pause(run.app.config.letters.retry, attempts, chance)).unwrap_or(now)
}

/// Twice as long after each attempt, up to a limit, and between three and five quarters of that by
/// chance: what failed together does not come back together.
fn pause(retry: RetryConfig, attempts: u16, chance: u16) -> SignedDuration {
    let doubled = u64::from(retry.first) << attempts.saturating_sub(1).min(16);
    let pause = doubled.min(u64::from(retry.most)) * 1_000;
    let pause = pause * 3 / 4 + pause * u64::from(chance) / (2 * u64::from(u16::MAX));
    SignedDuration::from_millis(i64::try_from(pause).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit_and_differ_by_chance() {
        let retry = RetryConfig { first: 300, most: 14_400, attempts: 20 };
        let seconds = |attempts, chance| pause(retry, attempts, chance).as_secs();
        for (attempts, least, most) in [
            (1, 225, 375),
            (2, 450, 750),
            (3, 900, 1_500),
            (7, 10_800, 18_000),
            (900, 10_800, 18_000),
        ] {
            assert_eq!(
                (seconds(attempts, 0), seconds(attempts, u16::MAX)),
                (least, most),
                "{attempts}"
            );
        }
        assert!(seconds(1, 20_000) < seconds(1, 40_000));
    }
}
