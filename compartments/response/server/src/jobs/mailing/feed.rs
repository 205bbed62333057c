//! Takes batches, asks for contacts under the warrant, and sorts letters by mail provider.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use accounts_api::ReadContacts;
use cofferdam_core::{Personal, Record};
use cofferdam_wire::{Problem, ProblemType};
use futures_util::{StreamExt as _, stream};
use response_api::{Audience, LedgerState, People};

use super::lane::{Held, Job, Lane};
use super::record::{LEASE, Result_};
use super::run::Run;
use crate::jobs::roster::read_contacts;
use crate::store::{Batch, Claimed, Outcome};

/// Letters that wait in memory, in lanes that go freely, before no more are taken in.
const ENOUGH: u64 = 8_000;
/// Records of one call to `accounts`.
const CONTACTS: usize = 1_000;
/// Letters of a batch at most.
const BATCH: u64 = 1_000;
/// Letters that may wait for one provider: more are put back for later.
const LANE_HOLDS: u64 = 4_000;
/// How long one domain's exchanges are waited for, and how many are asked for at once.
const LOOK_UP: Duration = Duration::from_secs(1);
const LOOK_UPS: usize = 64;
const PAUSE: Duration = Duration::from_millis(100);
const SETBACK: Duration = Duration::from_secs(1);

/// Somebody to write to.
struct Addressee {
    name: Personal,
    email: Personal,
}

/// Why a batch could not be made ready. Nothing of it was sent.
#[derive(Debug, thiserror::Error)]
enum FeedError {
    #[error(transparent)]
    Store(#[from] cofferdam_store::StoreError),
    #[error("contacts can't be read: {0}")]
    Contacts(Problem),
}

/// Runs until the letter stops, or nothing is left.
pub async fn feed(run: Arc<Run>) {
    while !run.must_stop() {
        let stirred = run.stirred.notified();
        if has_enough(&run) {
            let _ = tokio::time::timeout(PAUSE, stirred).await;
            continue;
        }
        let pause = match one_batch(&run).await {
            Ok(true) => {
                run.set_trouble(None);
                continue;
            }
            Ok(false) => PAUSE,
            Err(e) => {
                tracing::warn!(cause = %e, "letters wait");
                run.set_trouble(Some(e.to_string()));
                SETBACK
            }
        };
        let _ = tokio::time::timeout(pause, run.stirred.notified()).await;
    }
}

/// Whether more would only lie in memory. A full lane that nobody holds back says that sending is
/// what takes the time; those that are held back must not keep others from theirs.
fn has_enough(run: &Run) -> bool {
    let hours = run.hours(run.app.now());
    let waiting = |lanes: &[&Lane]| lanes.iter().map(|lane| lane.waiting()).sum::<u64>();
    let all: Vec<_> = run.lanes.iter().collect();
    let free: Vec<_> = all.iter().copied().filter(|lane| goes_freely(lane, hours)).collect();
    if free.is_empty() {
        return waiting(&all) >= ENOUGH.min(LANE_HOLDS - BATCH);
    }
    free.iter().any(|lane| lane.waiting() >= LANE_HOLDS) || waiting(&free) >= ENOUGH
}

/// Whether a letter may wait in a lane. One that goes freely is never put back for the few that a
/// batch is too many: to ask for its contacts again costs more than to keep it.
fn has_room(run: &Run, lane: &Lane) -> bool {
    let free = goes_freely(lane, run.hours(run.app.now()));
    free || (lane.pace().paused.is_none() && lane.waiting() < LANE_HOLDS)
}

/// Whether nothing but our own speed holds a lane back.
fn goes_freely(lane: &Lane, hours: usize) -> bool {
    let pace = lane.pace();
    pace.paused.is_none() && pace.rate(hours).is_none()
}

/// Takes a batch in; `false` when none is due.
async fn one_batch(run: &Run) -> Result<bool, FeedError> {
    let (store, letter, now) = (&run.app.store, run.letter.letter, run.app.now());
    let closed: Vec<_> = run
        .lanes
        .iter()
        .filter(|lane| lane.pace().paused.is_some() || lane.waiting() + BATCH > LANE_HOLDS)
        .map(|lane| lane.provider)
        .collect();
    let until = now.saturating_add(LEASE).unwrap_or(now);
    // What was claimed without our hearing of it, or could not be put back, only a new run sorts out.
    let claimed = store.claim(letter, &run.holder, until, now, &closed).await;
    let Some(batch) = claimed.inspect_err(|_| run.halt())? else {
        return Ok(false);
    };
    if batch.rows.is_empty() {
        return Ok(true);
    }
    run.held.fetch_add(1, Ordering::AcqRel);
    match addressees(run, &batch.rows).await {
        Ok(addressees) => {
            sort(run, &batch, addressees).await;
            Ok(true)
        }
        Err(e) => {
            run.held.fetch_sub(1, Ordering::AcqRel);
            let put_back = store.put_back(letter, &run.holder, batch.batch).await;
            put_back.inspect_err(|_| run.halt())?;
            Err(e)
        }
    }
}

/// Puts each letter into the lane of its provider.
async fn sort(run: &Run, batch: &Batch, addressees: Vec<Option<Addressee>>) {
    look_up_exchanges(run, &addressees).await;
    let held = Arc::new(Held {
        batch: batch.batch,
        attempts: batch.attempts,
        open: AtomicU64::new(batch.rows.len() as u64),
    });
    for (row, addressee) in batch.rows.iter().zip(addressees) {
        let Some(Addressee { name, email }) = addressee else {
            let outcome = Outcome {
                person: row.person,
                state: LedgerState::Suppressed,
                provider: 0,
                outcome: "nobody to write to: a decoy, or no address".to_owned(),
                at: run.app.now(),
            };
            settle(run, &held, outcome, None, false);
            continue;
        };
        let place = provider_of(run, email.expose());
        let lane = &run.lanes[place];
        if has_room(run, lane) {
            lane.push(Job { held: held.clone(), row: *row, name, email });
        } else {
            put_back(run, &held, *row, lane.provider);
        }
    }
}

/// A letter that was not tried waits for its provider in the ledger.
pub fn put_back(run: &Run, held: &Arc<Held>, row: Claimed, provider: u16) {
    let outcome = Outcome {
        person: row.person,
        state: LedgerState::Planned,
        provider,
        outcome: String::new(),
        at: run.app.now(),
    };
    settle(run, held, outcome, None, true);
}

/// Hands a result to the recorder.
pub fn settle(run: &Run, held: &Arc<Held>, outcome: Outcome, noted: Option<u64>, untried: bool) {
    run.unrecorded.fetch_add(1, Ordering::AcqRel);
    let result = Result_ { held: held.clone(), outcome, noted, untried };
    // The recorder outlives all who have results.
    let _ = run.results.send(result);
}

/// Asks for the exchanges of the domains that nothing is known of, many at once. Anybody can have a
/// domain whose servers are slow: no letter waits for those.
async fn look_up_exchanges(run: &Run, addressees: &[Option<Addressee>]) {
    let outside = run.app.mail.outside.as_ref().filter(|_| run.providers.knows_exchanges());
    let Some(outside) = outside else { return };
    let unknown: BTreeSet<String> = {
        let known = run.exchanges();
        let domains = addressees.iter().flatten().map(|of| domain_of(of.email.expose()));
        let unknown =
            |of: &String| run.providers.of_domain(of).is_none() && !known.contains_key(of);
        domains.filter(unknown).collect()
    };
    let others = run.lanes.len() - 1;
    let mut asked = stream::iter(unknown)
        .map(|domain| async move {
            let exchanges = tokio::time::timeout(LOOK_UP, outside.exchanges(&domain)).await;
            let place = run.providers.of_exchanges(&exchanges.unwrap_or_default());
            (domain, place.unwrap_or(others))
        })
        .buffer_unordered(LOOK_UPS);
    while let Some((domain, place)) = asked.next().await {
        let mut known = run.exchanges();
        // Domains are anybody's to choose: what is kept of them is bounded.
        if known.len() >= 100_000 {
            known.clear();
        }
        known.insert(domain, place);
    }
}

/// The place of an address's provider among the lanes.
fn provider_of(run: &Run, email: &str) -> usize {
    let domain = domain_of(email);
    let by_exchanges = || run.exchanges().get(&domain).copied();
    run.providers.of_domain(&domain).or_else(by_exchanges).unwrap_or(run.lanes.len() - 1)
}

fn domain_of(email: &str) -> String {
    email.rsplit('@').next().unwrap_or_default().to_ascii_lowercase()
}

/// Name and address for each row, in their order; `None` where nobody is to be written to.
async fn addressees(run: &Run, rows: &[Claimed]) -> Result<Vec<Option<Addressee>>, FeedError> {
    if run.letter.audience == Audience::Staff {
        let member = |row: &Claimed| run.staff.get(row.person as usize);
        let addressee =
            |m: &crate::roster::Member| Addressee { name: m.name.clone(), email: m.email.clone() };
        return Ok(rows.iter().map(|row| member(row).map(addressee)).collect());
    }
    let none = || Problem::new(ProblemType::WARRANT_REFUSED, "the letter has no warrant");
    let warrant = run.letter.warrant.ok_or_else(none).map_err(FeedError::Contacts)?;
    let records: Vec<_> = rows.iter().map(|row| Record(row.person)).collect();
    if run.people == People::Roster {
        let contacts = read_contacts(&run.app, warrant, &records).await;
        let mut contacts = contacts.map_err(FeedError::Contacts)?;
        let addressee = |record| {
            let contact = contacts.remove(record)?;
            Some(Addressee { name: contact.name, email: contact.email })
        };
        return Ok(records.iter().map(addressee).collect());
    }
    let mut ascending = records;
    ascending.sort_unstable();
    let mut contacts: HashMap<u32, Addressee> = HashMap::with_capacity(rows.len());
    for some in ascending.chunks(CONTACTS) {
        let call = ReadContacts { warrant: warrant.to_string(), records: some.to_vec() };
        let answer = run.app.accounts.call(&call).await;
        let answer = answer.map_err(|e| FeedError::Contacts(e.into()))?;
        let addressee = |c: accounts_api::Contact| Addressee { name: c.name, email: c.email };
        contacts.extend(answer.contacts.into_iter().map(|c| (c.record.0, addressee(c))));
    }
    Ok(rows.iter().map(|row| contacts.remove(&row.person)).collect())
}
