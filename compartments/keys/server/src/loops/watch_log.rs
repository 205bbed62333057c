//! Reading the log for decoys. It happens beside the requests, so that the answer to a decoy takes
//! the same steps and the same time as any other; and it goes by the log, so that no decoy is
//! overlooked because the process died before its alarm was written.

use std::sync::Arc;
use std::time::Duration;

use cofferdam_store::StoreError;
use cofferdam_wire::{TaskLost, blocking};
use keys_api::{AlarmKind, Entry};

use crate::app::App;
use crate::domain::decoy::Touched;
use crate::log::LogError;
use crate::store;

/// The longest that an entry waits to be read.
const READ_EVERY: Duration = Duration::from_secs(1);
/// How many entries are read at once.
const PAGE: u64 = 4_096;

/// Why the log could not be read; it is tried again.
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

/// The decoys that a page of entries touched, and how many entries the page has.
fn touched_from(app: &App, next: u64) -> Result<(u64, Vec<Touched>), LogError> {
    let page = app.log.entries(next, PAGE)?;
    let entries = page.iter().filter_map(|bytes| Entry::decode(bytes).ok());
    let touched = entries.flat_map(|entry| app.decoys.touched_by(entry)).collect();
    Ok((page.len() as u64, touched))
}

/// Raises the alarm; the first password of a decoy is the one that fills it.
async fn raise(app: &App, touched: Touched) -> Result<(), WatchError> {
    let Touched { at, caller, record, presented } = touched;
    if presented && store::take_first_password(&app.db, record).await? {
        return Ok(());
    }
    let what = if presented { "presented a password of" } else { "opened" };
    let detail = format!("{caller} {what} decoy {record}");
    app.alarms.ring(at, AlarmKind::Decoy, Some(&caller), detail).await;
    Ok(())
}
