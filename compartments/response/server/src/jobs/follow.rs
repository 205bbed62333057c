//! Following the release logs and the alarms of `keys`.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use cofferdam_core::Timestamp;
use cofferdam_wire::ProblemType;
use keys_api::{AlarmKind, CosignCheckpoint, Entry, ReadAlarms, ReadCheckpoint, ReadEntries};

use crate::app::App;
use crate::domain::tampering::{Pages, WINDOW, differ, name};
use crate::log_copy::{CopyEnd, CopyError, LogCopy};
use crate::logs::FollowedLog;

/// How long between two looks.
const EVERY: Duration = Duration::from_secs(1);
/// Entries asked for at once.
const ENTRIES: u32 = 10_000;

/// By so many seconds two good clocks may be apart.
const CLOCKS_APART: i64 = 5;

/// Why the log was not copied.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// `keys` did not answer, or refused.
    #[error(transparent)]
    Call(#[from] cofferdam_wire::CallError),
    /// The log disagrees with the copy, or the copy can't be written.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// The alarms can't be written.
    #[error(transparent)]
    Store(#[from] cofferdam_store::StoreError),
}

/// Copies alarms and logs until the compartment stops. A disagreement stays
/// until somebody has looked: the copy then no longer grows, and every scope shows it as a doubt.
pub async fn follow_logs(app: Arc<App>) {
    loop {
        if let Err(e) = follow_once(&app).await {
            tracing::warn!(cause = %e, "a release log could not be followed");
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn follow_once(app: &Arc<App>) -> Result<(), FollowError> {
    copy_alarms(app).await?;
    for log in &app.logs {
        extend(app, log).await?;
        index(log).await;
    }
    Ok(())
}

/// A log whose copy does not grow.
#[derive(Debug, Clone)]
pub struct Behind {
    /// Its name.
    pub origin: String,
    /// Until when it was followed, as far as this process knows.
    pub since: Option<Timestamp>,
    /// Why it is no longer.
    pub cause: String,
}

/// Brings the copies up to date, now; what each then ends at, and what kept them from growing.
pub async fn copy_logs(app: &App) -> (Vec<CopyEnd>, Vec<Behind>) {
    if let Err(e) = copy_alarms(app).await {
        tracing::warn!(cause = %e, "the alarms of keys could not be followed");
    }
    let (mut ends, mut behind) = (Vec::with_capacity(app.logs.len()), Vec::new());
    for log in &app.logs {
        match extend(app, log).await {
            Ok(end) => ends.push(end),
            Err(e) => {
                let since = *log.followed.lock().unwrap_or_else(PoisonError::into_inner);
                behind.push(Behind { origin: log.origin.clone(), since, cause: e.to_string() });
                ends.push(log.copy.lock().await.end());
            }
        }
    }
    (ends, behind)
}

/// Extends the copy of one log; a log that disagrees with it rings.
async fn extend(app: &App, log: &FollowedLog) -> Result<CopyEnd, FollowError> {
    let mut extended = fetch(app, log).await;
    if let Err(FollowError::Copy(CopyError::Disagreement(what))) = &mut extended {
        if let Some(done) = tampering(log, what).await {
            what.push_str(": ");
            what.push_str(&done);
        }
        let detail = format!("{}: the release log disagrees with its copy: {what}", log.origin);
        app.store.raise(AlarmKind::WitnessDisagreement.as_str(), &detail, app.now()).await?;
    }
    if extended.is_ok() {
        *log.followed.lock().unwrap_or_else(PoisonError::into_inner) = Some(app.now());
    }
    extended
}

/// What was done to a log that disagrees, as far as it still shows its entries; looked for once.
async fn tampering(log: &FollowedLog, what: &str) -> Option<String> {
    let mut known = log.tampering.lock().await;
    if let Some((of, done)) = &*known
        && of == what
    {
        return Some(done.clone());
    }
    let done = first_difference(log).await?;
    *known = Some((what.to_owned(), done.clone()));
    Some(done)
}

async fn first_difference(log: &FollowedLog) -> Option<String> {
    let (segments, size) = {
        let copy = log.copy.lock().await;
        (copy.segments(), copy.end().size)
    };
    let mut first = 0;
    while first < size {
        let ours = segments.read(first, size, u64::from(ENTRIES)).ok()?;
        let limit = u32::try_from(ours.len()).ok()?;
        let theirs = read_entries(log, first, limit).await?;
        if let Some(at) = differ(Pages { first, ours: &ours, theirs: &theirs }) {
            let first = first + at as u64;
            let ours = segments.read(first, size, u64::from(WINDOW)).ok()?;
            let theirs = read_entries(log, first, WINDOW).await?;
            return Some(name(Pages { first, ours: &ours, theirs: &theirs }, size));
        }
        first += ours.len() as u64;
    }
    None
}

/// As many entries as there are; none behind the log's end.
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
    let answer = match log.keys.call(&ReadCheckpoint { since: before }).await {
        // It can't prove growth from a size that it does not reach: look at what it has.
        Err(e) if e.is(ProblemType::BAD_REQUEST) => {
            log.keys.call(&ReadCheckpoint { since: 0 }).await?
        }
        answer => answer?,
    };
    let size = copy.begin(&answer)?;
    while copy.held() < size {
        let left = u32::try_from(size - copy.held()).unwrap_or(ENTRIES).min(ENTRIES);
        let page = log.keys.call(&ReadEntries { from: copy.held(), limit: left }).await?;
        if page.entries.is_empty() {
            break;
        }
        copy.push(&page.entries)?;
    }
    copy.commit()?;
    if size > before {
        let note = copy.cosign(&app.witness, app.now())?;
        log.keys.call(&CosignCheckpoint { note }).await?;
        if let Some(ahead) = ahead(&copy, app.now())? {
            let detail = format!("the clock of {} is {ahead} s ahead of ours", log.origin);
            app.store.raise(AlarmKind::ClockJump.as_str(), &detail, app.now()).await?;
        }
    }
    Ok(copy.end())
}

/// By how many seconds the newest entry lies in our future, if it does: an entry that `keys` dated
/// wrongly would be missed by a window.
fn ahead(copy: &LogCopy, now: Timestamp) -> Result<Option<i64>, FollowError> {
    let size = copy.end().size;
    let newest = copy.segments().read(size.saturating_sub(1), size, 1).map_err(CopyError::from)?;
    let at = newest.first().and_then(|entry| Entry::decode(entry).ok()).map(|entry| entry.at);
    let seconds = at.map_or(0, |at| at.duration_since(now).as_secs());
    Ok((seconds > CLOCKS_APART).then_some(seconds))
}

/// Indexes past days beside the copy: it reads whole segments.
async fn index(log: &FollowedLog) {
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
        let alarms = app.keys.call(&ReadAlarms { after }).await?;
        if alarms.is_empty() {
            return Ok(());
        }
        app.store.add_alarms(&alarms).await?;
    }
}
