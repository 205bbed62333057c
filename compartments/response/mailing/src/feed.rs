//! Claiming batches, reading their contacts, and sorting letters by mail provider.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use response_api::LedgerState;

use crate::lane::{HeldBatch, Lane, QueuedLetter};
use crate::mailing::{LEASE, Mailing, MailingError, PendingOutcome};
use crate::{Batch, Contact, Outcome, Recipient};

/// The most letters in a batch.
const BATCH: u64 = 1_000;
/// The number of letters in unlimited lanes at which no further batch is claimed.
const ENOUGH: u64 = 8_000;
/// The most letters that wait for one limited provider; further ones go back to the ledger.
const LANE_HOLDS: u64 = 4_000;
/// The longest time that is spent on the exchanges of one mail domain.
const LOOK_UP_TIMEOUT: Duration = Duration::from_secs(1);
/// The number of mail domains that are looked up at once.
const LOOK_UPS: usize = 64;
/// The most mail domains whose lanes are remembered. Anybody can own many domains.
const DOMAINS_REMEMBERED: usize = 100_000;
/// The pause of a feeder that waits for room, or for a batch that is due.
const PAUSE: Duration = Duration::from_millis(100);
/// The pause of a feeder after an error.
const SETBACK: Duration = Duration::from_secs(1);

/// Feeds lanes until the mailing stops.
pub async fn feed_lanes(mailing: Arc<Mailing>) {
    while !mailing.must_stop() {
        let stirred = mailing.stirred.notified();
        if has_enough(&mailing) {
            let _ = tokio::time::timeout(PAUSE, stirred).await;
            continue;
        }
        let pause = match feed_batch(&mailing).await {
            Ok(true) => {
                mailing.set_trouble(None);
                continue;
            }
            Ok(false) => PAUSE,
            Err(e) => {
                tracing::warn!(cause = %e, "letters wait");
                mailing.set_trouble(Some(e.to_string()));
                SETBACK
            }
        };
        let _ = tokio::time::timeout(pause, mailing.stirred.notified()).await;
    }
}

/// Whether another batch would only lie in memory. A full unlimited lane shows that sending is the
/// bottleneck. Limited lanes do not count, because they must not keep the others waiting.
fn has_enough(mailing: &Mailing) -> bool {
    let hours = mailing.hours(mailing.ports.now());
    let waiting = |lanes: &[&Lane]| lanes.iter().map(|lane| lane.waiting()).sum::<u64>();
    let all: Vec<_> = mailing.lanes.iter().collect();
    let unlimited: Vec<_> = all.iter().copied().filter(|lane| lane.is_unlimited(hours)).collect();
    if unlimited.is_empty() {
        return waiting(&all) >= ENOUGH.min(LANE_HOLDS - BATCH);
    }
    unlimited.iter().any(|lane| lane.waiting() >= LANE_HOLDS) || waiting(&unlimited) >= ENOUGH
}

/// Whether another letter may wait in a lane. An unlimited lane takes the few letters by which a
/// batch is too large, because keeping them costs less than reading their contacts again.
fn has_room(mailing: &Mailing, lane: &Lane) -> bool {
    let unlimited = lane.is_unlimited(mailing.hours(mailing.ports.now()));
    unlimited || (!lane.is_paused() && lane.waiting() < LANE_HOLDS)
}

/// Claims a batch and sorts it into the lanes; `false` if no batch is due.
async fn feed_batch(mailing: &Mailing) -> Result<bool, MailingError> {
    let (ledger, letter, now) = (&mailing.ports.ledger, mailing.letter.letter, mailing.ports.now());
    let is_closed = |lane: &&Lane| lane.is_paused() || lane.waiting() + BATCH > LANE_HOLDS;
    let closed: Vec<_> = mailing.lanes.iter().filter(is_closed).map(|lane| lane.provider).collect();
    let until = now.saturating_add(LEASE).unwrap_or(now);
    let claimed = ledger.claim(letter, &mailing.holder, (now, until), &closed).await;
    // The claim may have been made although its answer was lost. Only a new mailing sorts that out.
    let Some(batch) = claimed.inspect_err(|_| mailing.halt())? else {
        return Ok(false);
    };
    if batch.recipients.is_empty() {
        return Ok(true);
    }
    mailing.held_count.fetch_add(1, Ordering::AcqRel);
    let people: Vec<_> = batch.recipients.iter().map(|recipient| recipient.person).collect();
    match mailing.contacts.read(&people).await {
        Ok(contacts) => {
            sort_into_lanes(mailing, &batch, contacts).await;
            Ok(true)
        }
        Err(e) => {
            mailing.held_count.fetch_sub(1, Ordering::AcqRel);
            let released = ledger.release_batch(letter, &mailing.holder, batch.batch).await;
            released.inspect_err(|_| mailing.halt())?;
            Err(e.into())
        }
    }
}

async fn sort_into_lanes(mailing: &Mailing, batch: &Batch, contacts: Vec<Option<Contact>>) {
    look_up_exchanges(mailing, &contacts).await;
    let held = Arc::new(HeldBatch {
        batch: batch.batch,
        attempts: batch.attempts,
        unrecorded: AtomicU64::new(batch.recipients.len() as u64),
    });
    for (recipient, contact) in batch.recipients.iter().zip(contacts) {
        let Some(to) = contact else {
            suppress(mailing, &held, recipient.person);
            continue;
        };
        let lane = &mailing.lanes[lane_of(mailing, to.email.expose())];
        let letter = QueuedLetter { batch: held.clone(), recipient: *recipient, to };
        if has_room(mailing, lane) {
            lane.push_back(letter);
        } else {
            return_untried(mailing, &letter.batch, letter.recipient, lane.provider);
        }
    }
}

fn suppress(mailing: &Mailing, batch: &Arc<HeldBatch>, person: u32) {
    let outcome = Outcome {
        person,
        state: LedgerState::Suppressed,
        provider: 0,
        detail: "nobody to write to: a decoy, or no address".to_owned(),
        at: mailing.ports.now(),
    };
    mailing.report(PendingOutcome { batch: batch.clone(), outcome, note: None, tried: true });
}

/// Returns an untried letter to the ledger, where it waits for its provider.
pub fn return_untried(
    mailing: &Mailing,
    batch: &Arc<HeldBatch>,
    recipient: Recipient,
    provider: u16,
) {
    let outcome = Outcome {
        person: recipient.person,
        state: LedgerState::Planned,
        provider,
        detail: String::new(),
        at: mailing.ports.now(),
    };
    mailing.report(PendingOutcome { batch: batch.clone(), outcome, note: None, tried: false });
}

/// Looks up the exchanges of unknown mail domains, many at once. Anybody may own a domain with slow
/// servers, so no letter waits for them.
async fn look_up_exchanges(mailing: &Mailing, contacts: &[Option<Contact>]) {
    let receivers = mailing.ports.receivers.as_ref();
    let Some(receivers) = receivers.filter(|_| mailing.providers.knows_exchanges()) else {
        return;
    };
    let unknown: BTreeSet<String> = {
        let known = mailing.lanes_by_exchange();
        let domains = contacts.iter().flatten().map(|contact| domain_of(contact.email.expose()));
        let is_unknown = |domain: &String| {
            mailing.providers.of_domain(domain).is_none() && !known.contains_key(domain)
        };
        domains.filter(is_unknown).collect()
    };
    let mut look_ups = stream::iter(unknown)
        .map(|domain| async move {
            let found = tokio::time::timeout(LOOK_UP_TIMEOUT, receivers.exchanges(&domain)).await;
            let place = mailing.providers.of_exchanges(&found.unwrap_or_default());
            (domain, place.unwrap_or(lane_of_others(mailing)))
        })
        .buffer_unordered(LOOK_UPS);
    while let Some((domain, place)) = look_ups.next().await {
        let mut known = mailing.lanes_by_exchange();
        if known.len() >= DOMAINS_REMEMBERED {
            known.clear();
        }
        known.insert(domain, place);
    }
}

/// The place of an address's lane in `lanes`.
fn lane_of(mailing: &Mailing, email: &str) -> usize {
    let domain = domain_of(email);
    let by_exchange = || mailing.lanes_by_exchange().get(&domain).copied();
    let place = mailing.providers.of_domain(&domain).or_else(by_exchange);
    place.unwrap_or(lane_of_others(mailing))
}

fn lane_of_others(mailing: &Mailing) -> usize {
    mailing.lanes.len() - 1
}

fn domain_of(email: &str) -> String {
    email.rsplit('@').next().unwrap_or_default().to_ascii_lowercase()
}
