//! Follows the release logs and the alarms of `keys`.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use cofferdam_core::Timestamp;
use cofferdam_wire::{CallError, ProblemType};
use futures_util::future::join_all;
use jiff::SignedDuration;
use keys_api::{
    AlarmKind, CheckpointAnswer, CosignCheckpoint, Entry, ReadAlarms, ReadCheckpoint, ReadEntries,
};
use response_api::Sighting;
use response_exposure::{
    CopyState, ENTRIES_COMPARED, EntryPages, NotFollowed, first_difference, name_tampering,
};
use tokio::time::timeout;

use super::{ask_witnesses, check_journals, hold_against};
use crate::app::App;
use crate::logs::{CopyEnd, CopyError, FollowedLog, LogCopy, Tampering};

/// The rounds after which the other compartments are asked again what they saw of the logs.
const ASK_EVERY: u32 = 30;
/// The rounds after which the journals are held against their anchors again.
const CHECK_EVERY: u32 = 10;
/// The pause between two rounds.
const FOLLOW_EVERY: Duration = Duration::from_secs(1);
/// The longest time that an instance takes to tell its log's checkpoint. A scope waits for it.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// The number of entries in one question.
const PAGE: u32 = 10_000;
/// The longest time for which the last sighting of a log that does not grow is not stored.
const STORE_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// The time after which old sightings are thinned again.
const THIN_EVERY: SignedDuration = SignedDuration::from_hours(1);
/// The largest difference between two good clocks, in seconds.
const CLOCK_TOLERANCE: i64 = 5;

/// A log or its alarms that could not be followed.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// `keys` did not answer, or refused.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The instance of `keys` did not tell its log's checkpoint in time.
    #[error("keys does not answer")]
    Silent,
    /// The log disagrees with the copy, or the copy can't be written.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// The alarms can't be written.
    #[error(transparent)]
    Store(#[from] cofferdam_store::StoreError),
}

/// Follows alarms and logs until the compartment stops. A copy that disagrees with its log stops
/// growing, and every scope shows a doubt, until somebody has looked at it.
pub async fn follow_logs(app: Arc<App>) {
    // Each log is followed by itself, so that an instance of `keys` that fails holds up no other one.
    let copies = app.logs.followed.iter().map(|log| follow_log(&app, log));
    tokio::join!(look_around(&app), follow_alarms(&app), join_all(copies));
}

/// Holds the copies and the journals against what other compartments know.
async fn look_around(app: &App) {
    for round in 0_u32.. {
        if round.is_multiple_of(ASK_EVERY) {
            copy_logs(app).await;
        }
        if round.is_multiple_of(CHECK_EVERY)
            && let Err(e) = check_journals(app).await
        {
            tracing::warn!(cause = %e, "the journals could not be held against their anchors");
        }
        tokio::time::sleep(FOLLOW_EVERY).await;
    }
}

async fn follow_alarms(app: &App) {
    loop {
        if let Err(e) = copy_alarms(app).await {
            tracing::warn!(cause = %e, "the alarms of keys could not be followed");
        }
        tokio::time::sleep(FOLLOW_EVERY).await;
    }
}

async fn follow_log(app: &App, log: &FollowedLog) {
    loop {
        match extend(app, log).await {
            Ok(_) => index_past_days(log).await,
            Err(e) => {
                tracing::warn!(cause = %e, log = %log.origin, "a release log could not be followed");
            }
        }
        tokio::time::sleep(FOLLOW_EVERY).await;
    }
}

/// Brings the copies up to date now, and holds them against what other compartments saw. Returns the
/// verified end and the state of each.
pub async fn copy_logs(app: &App) -> (Vec<CopyEnd>, Vec<CopyState>) {
    let told = ask_witnesses(app).await;
    if let Err(e) = copy_alarms(app).await {
        tracing::warn!(cause = %e, "the alarms of keys could not be followed");
    }
    let mut ends = Vec::with_capacity(app.logs.followed.len());
    let mut states = Vec::with_capacity(app.logs.followed.len());
    for log in &app.logs.followed {
        let not_followed = extend(app, log).await.err().map(|e| {
            let since = *log.followed.lock().unwrap_or_else(PoisonError::into_inner);
            let disagrees = matches!(e, FollowError::Copy(CopyError::Disagreement(_)));
            NotFollowed { since, reason: e.to_string(), disagrees }
        });
        let copy = log.copy.lock().await;
        let end = copy.end();
        // A cosignature that can't be read covers nothing.
        let cosigned = copy.cosigned().ok().flatten().map_or(0, |(_, size)| size);
        let (log, size) = (log.origin.clone(), end.size);
        states.push(CopyState { log, size, cosigned, not_followed });
        ends.push(end);
    }
    if let Err(e) = hold_against(app, told, &states).await {
        tracing::error!(cause = %e, "a rewritten log could not be told");
    }
    (ends, states)
}

/// Extends the copy of one log. A disagreement with the copy raises an alarm.
async fn extend(app: &App, log: &FollowedLog) -> Result<CopyEnd, FollowError> {
    let mut extended = fetch(app, log).await;
    if let Err(FollowError::Copy(CopyError::Disagreement(what))) = &mut extended {
        log.disagrees.store(true, Ordering::Release);
        if let Some(kind) = kind_of_tampering(log, what).await {
            what.push_str(": ");
            what.push_str(&kind);
        }
        let detail = format!("{}: the release log disagrees with its copy: {what}", log.origin);
        app.store.raise(AlarmKind::WitnessDisagreement.as_str(), &detail, app.now()).await?;
    }
    if extended.is_ok() {
        log.disagrees.store(false, Ordering::Release);
        *log.followed.lock().unwrap_or_else(PoisonError::into_inner) = Some(app.now());
    }
    extended
}

/// The kind of tampering behind a disagreement, as far as the log still shows its entries. It is
/// searched for once.
async fn kind_of_tampering(log: &FollowedLog, disagreement: &str) -> Option<String> {
    let mut known = log.tampering.lock().await;
    if let Some(tampering) = &*known
        && tampering.disagreement == disagreement
    {
        return Some(tampering.kind.clone());
    }
    let kind = compare_with_copy(log).await?;
    *known = Some(Tampering { disagreement: disagreement.to_owned(), kind: kind.clone() });
    Some(kind)
}

async fn compare_with_copy(log: &FollowedLog) -> Option<String> {
    let (segments, size) = {
        let copy = log.copy.lock().await;
        (copy.segments(), copy.end().size)
    };
    let mut first = 0;
    while first < size {
        let ours = segments.read(first, size, u64::from(PAGE)).ok()?;
        let limit = u32::try_from(ours.len()).ok()?;
        let theirs = read_entries(log, first, limit).await?;
        let pages = EntryPages { first, ours: &ours, theirs: &theirs };
        if let Some(place) = first_difference(pages) {
            let first = first + place as u64;
            let ours = segments.read(first, size, u64::from(ENTRIES_COMPARED)).ok()?;
            let theirs = read_entries(log, first, ENTRIES_COMPARED).await?;
            let pages = EntryPages { first, ours: &ours, theirs: &theirs };
            return Some(name_tampering(pages, size));
        }
        first += ours.len() as u64;
    }
    None
}

/// Up to `limit` entries of the log; fewer at its end.
async fn read_entries(log: &FollowedLog, from: u64, limit: u32) -> Option<Vec<Vec<u8>>> {
    let mut entries: Vec<Vec<u8>> = Vec::new();
    while entries.len() < limit as usize {
        let at = from + entries.len() as u64;
        let left = limit - u32::try_from(entries.len()).ok()?;
        match log.keys.call(&ReadEntries { from: at, limit: left }).await {
            Ok(page) if page.entries.is_empty() => break,
            Ok(page) => entries.extend(page.entries),
            Err(e) if e.is(ProblemType::BAD_REQUEST) => break,
            Err(_) => return None,
        }
    }
    Some(entries)
}

async fn fetch(app: &App, log: &FollowedLog) -> Result<CopyEnd, FollowError> {
    let mut copy = log.copy.lock().await;
    let before = copy.end().size;
    let asked = app.now();
    let answer = timeout(ANSWER_WITHIN, read_checkpoint(log, before)).await;
    let answer = answer.map_err(|_| FollowError::Silent)??;
    let answered = app.now();
    let size = copy.begin(&answer)?;
    while copy.held() < size {
        let left = u32::try_from(size - copy.held()).unwrap_or(PAGE).min(PAGE);
        let page = log.keys.call(&ReadEntries { from: copy.held(), limit: left }).await?;
        if page.entries.is_empty() {
            break;
        }
        copy.push(&page.entries)?;
    }
    copy.commit()?;
    note_sighting(app, log, size, (asked, answered)).await?;
    if size > before {
        let note = copy.cosign(&app.logs.witness, app.now())?;
        log.keys.call(&CosignCheckpoint { note }).await?;
        if let Some(seconds) = seconds_ahead(&copy, app.now())? {
            let detail = format!("the clock of {} is {seconds} s ahead of ours", log.origin);
            app.store.raise(AlarmKind::ClockJump.as_str(), &detail, app.now()).await?;
        }
    }
    Ok(copy.end())
}

/// Reads the log's checkpoint, with the proof that the log grew since it had `before` entries.
async fn read_checkpoint(log: &FollowedLog, before: u64) -> Result<CheckpointAnswer, CallError> {
    match log.keys.call(&ReadCheckpoint { since: before }).await {
        // A log that is shorter than its copy can't prove growth. Its checkpoint shows its size.
        Err(e) if e.is(ProblemType::BAD_REQUEST) => {
            log.keys.call(&ReadCheckpoint { since: 0 }).await
        }
        answer => answer,
    }
}

/// Notes that a log had `size` entries between two instants of our clock. A sighting is stored when
/// the log grew, and each minute; what is not stored only makes intervals wider.
async fn note_sighting(
    app: &App,
    log: &FollowedLog,
    size: u64,
    (asked, answered): (Timestamp, Timestamp),
) -> Result<(), FollowError> {
    let mut last = log.sighting.lock().await;
    let before = last.seen.filter(|seen| seen.size <= size);
    let same = before.filter(|seen| seen.size == size);
    // Entries behind `size` were written after we asked, and those before it until we were answered.
    let seen = Sighting { size, first: same.map_or(answered, |of| of.first), last: asked };
    let is_due = |at: Timestamp| asked.duration_since(at) >= STORE_EVERY;
    if same.is_none() || last.stored.is_none_or(is_due) {
        if let Some(before) = before.filter(|of| of.size < size) {
            app.store.add_sighting(&log.origin, &before).await?;
        }
        app.store.add_sighting(&log.origin, &seen).await?;
        last.stored = Some(asked);
    }
    last.seen = Some(seen);
    if last.thinned.is_none_or(|at| asked.duration_since(at) >= THIN_EVERY) {
        app.store.thin_sightings(&log.origin, asked).await?;
        last.thinned = Some(asked);
    }
    Ok(())
}

/// The seconds by which the newest entry is ahead of our clock. A window would miss an entry with a
/// wrong date.
fn seconds_ahead(copy: &LogCopy, now: Timestamp) -> Result<Option<i64>, FollowError> {
    let size = copy.end().size;
    let newest = copy.segments().read(size.saturating_sub(1), size, 1).map_err(CopyError::from)?;
    let at = newest.first().and_then(|entry| Entry::decode(entry).ok()).map(|entry| entry.at);
    let seconds = at.map_or(0, |at| at.duration_since(now).as_secs());
    Ok((seconds > CLOCK_TOLERANCE).then_some(seconds))
}

/// Indexes past days. The copy is not locked meanwhile, because whole segments are read.
async fn index_past_days(log: &FollowedLog) {
    let (dir, segments) = {
        let copy = log.copy.lock().await;
        (copy.dir().to_owned(), copy.segments())
    };
    let indexed = cofferdam_wire::blocking(move || LogCopy::index(&dir, &segments)).await;
    if let Ok(Err(e)) = indexed {
        tracing::error!(cause = %e, "past days of a log's copy could not be indexed");
    }
}

async fn copy_alarms(app: &App) -> Result<(), FollowError> {
    loop {
        let after = app.store.newest_alarm().await?;
        let alarms = app.compartments.keys.call(&ReadAlarms { after }).await?;
        if alarms.is_empty() {
            return Ok(());
        }
        app.store.add_alarms(&alarms).await?;
    }
}
