//! Following the release log and the alarms of `keys`.

use std::sync::Arc;
use std::time::Duration;

use cofferdam_wire::{Problem, ProblemKind};
use keys_api::{ReadAlarms, ReadCheckpoint, ReadEntries};

use crate::app::App;
use crate::log_copy::{CopyEnd, CopyError};

/// How long between two looks.
const EVERY: Duration = Duration::from_secs(1);
/// Entries asked for at once.
const ENTRIES: u32 = 10_000;

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

/// Copies alarms and log until the compartment stops. A disagreement stays
/// until somebody has looked: the copy then no longer grows, and every scope shows it as a doubt.
pub async fn follow_log(app: Arc<App>) {
    loop {
        if let Err(e) = follow_once(&app).await {
            tracing::warn!(cause = %e, "the release log could not be followed");
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn follow_once(app: &App) -> Result<(), FollowError> {
    copy_alarms(app).await?;
    extend(app).await.map(|_| ())
}

/// Brings the copy up to date, now; what it then ends at, and what kept it from growing.
pub async fn copy_log(app: &App) -> Result<(CopyEnd, Option<String>), Problem> {
    let alarms = copy_alarms(app).await.err();
    let trouble = match extend(app).await {
        Ok(end) => return Ok((end, alarms.map(|e| e.to_string()))),
        Err(e) => e.to_string(),
    };
    Ok((app.copy.lock().await.end(), Some(trouble)))
}

/// Extends the copy; a log that disagrees with it rings.
async fn extend(app: &App) -> Result<CopyEnd, FollowError> {
    let extended = fetch(app).await;
    if let Err(FollowError::Copy(e @ CopyError::Disagreement(_))) = &extended {
        app.store.raise("witness_disagreement", &e.to_string(), app.now()).await?;
    }
    extended
}

async fn fetch(app: &App) -> Result<CopyEnd, FollowError> {
    let mut copy = app.copy.lock().await;
    let since = copy.end().size;
    let answer = match app.keys.call(&ReadCheckpoint { since }).await {
        // It can't prove growth from a size that it does not reach: look at what it has.
        Err(e) if e.problem().is_some_and(|p| p.kind == ProblemKind::BadRequest) => {
            app.keys.call(&ReadCheckpoint { since: 0 }).await?
        }
        answer => answer?,
    };
    let size = copy.begin(&answer)?;
    while copy.held() < size {
        let left = u32::try_from(size - copy.held()).unwrap_or(ENTRIES).min(ENTRIES);
        let page = app.keys.call(&ReadEntries { from: copy.held(), limit: left }).await?;
        if page.entries.is_empty() {
            break;
        }
        copy.push(&page.entries)?;
    }
    copy.commit()?;
    Ok(copy.end())
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
