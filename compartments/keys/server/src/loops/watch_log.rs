//! Reads the log for decoys. This happens beside the requests, so that the answer for a decoy takes
//! the same steps and the same time as any other. The log is the source, so that a decoy is noticed
//! even if the process died before its alarm was written.

use std::sync::Arc;
use std::time::Duration;

use cofferdam_store::StoreError;
use cofferdam_wire::{TaskLost, blocking};
use keys_api::{AlarmKind, Entry};

use crate::app::App;
use crate::domain::decoy::{How, Touched};
use crate::log::LogError;
use crate::store;

/// The longest time that an entry waits to be read.
const READ_EVERY: Duration = Duration::from_secs(1);
/// The number of entries that are read at once.
const PAGE: u64 = 4_096;

/// A failed reading of the log, which is tried again.
#[derive(Debug, thiserror::Error)]
enum WatchError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Task(#[from] TaskLost),
}

/// Runs for as long as it is polled.
pub async fn watch_log(app: Arc<App>) {
    loop {
        if let Err(e) = read_new_entries(&app).await {
            tracing::error!(cause = %e, "the log could not be read for decoys");
            tokio::time::sleep(READ_EVERY).await;
        }
        // An entry that was written meanwhile is read in the next turn.
        let _ = tokio::time::timeout(READ_EVERY, app.log.grown()).await;
    }
}

async fn read_new_entries(app: &Arc<App>) -> Result<(), WatchError> {
    let mut next = store::watched_upto(&app.db, app.log.origin()).await?;
    while next < app.log.size() {
        let reader = app.clone();
        let (count, touched) = blocking(move || touched_from(&reader, next)).await??;
        for touched in touched {
            raise(app, touched).await?;
        }
        next += count;
        store::set_watched(&app.db, app.log.origin(), next).await?;
    }
    Ok(())
}

/// The number of entries in a page, and the decoys that they touched.
fn touched_from(app: &App, next: u64) -> Result<(u64, Vec<Touched>), LogError> {
    let page = app.log.entries(next, PAGE)?;
    let entries = page.iter().filter_map(|bytes| Entry::decode(bytes).ok());
    let touched = entries.flat_map(|entry| app.decoys.touched_by(entry)).collect();
    Ok((page.len() as u64, touched))
}

/// Raises the alarm for a touched decoy. The first password of a decoy fills it, and raises none; in a log
/// of an earlier version, it looks like any other password.
async fn raise(app: &App, touched: Touched) -> Result<(), WatchError> {
    let Touched { at, caller, record, how } = touched;
    let fills = matches!(how, How::Filled | How::Presented);
    if fills && store::take_first_password(&app.db, record).await? {
        return Ok(());
    }
    let what = match how {
        How::Filled => "set another first password of",
        How::Opened => "opened",
        How::Presented => "presented a password of",
        How::LookedUp => "looked up the address of",
    };
    let detail = format!("{caller} {what} decoy {record}");
    app.alarms.ring(at, AlarmKind::Decoy, Some(&caller), detail).await;
    Ok(())
}
