//! Watching the log for decoys. Beside the requests, and from what the log says: so that a
//! decoy's answer takes the same steps and the same time as any other, and none is overlooked
//! because the process died before its alarm was written.

use std::sync::Arc;
use std::time::Duration;

use cofferdam_core::{CallerName, Domain, Operation, Record, Timestamp};
use cofferdam_store::StoreError;
use keys_api::{AlarmKind, Entry, Event};

use super::App;
use crate::log::LogError;
use crate::store;

/// The longest that an entry waits to be looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Entries looked at at once.
const PAGE: u64 = 4_096;

/// A decoy that somebody touched.
struct Touched {
    at: Timestamp,
    caller: CallerName,
    record: Record,
    /// A password was presented; otherwise its keys were released.
    presented: bool,
}

/// Why the log could not be looked through; it is tried again.
#[derive(Debug, thiserror::Error)]
enum WatchError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error("looking ended early: {0}")]
    Ended(#[from] tokio::task::JoinError),
}

impl App {
    /// Runs for as long as it is polled.
    pub async fn watch_log(self: Arc<Self>) {
        loop {
            if let Err(e) = self.look().await {
                tracing::error!(cause = %e, "the log could not be looked through for decoys");
                tokio::time::sleep(LOOK_EVERY).await;
            }
            // Whatever was written meanwhile is seen at the next turn.
            let _ = tokio::time::timeout(LOOK_EVERY, self.grown.notified()).await;
        }
    }

    /// Looks through what is new, and rings.
    async fn look(self: &Arc<Self>) -> Result<(), WatchError> {
        let mut next = store::watched_upto(&self.db, &self.origin).await?;
        while next < self.log.size() {
            let app = self.clone();
            let found = tokio::task::spawn_blocking(move || app.decoys_from(next)).await??;
            let (count, touched) = found;
            for touch in touched {
                self.ring_for(touch).await?;
            }
            next += count;
            store::set_watched(&self.db, &self.origin, next).await?;
        }
        Ok(())
    }

    /// Decoys in the entries from `next` on, and how many entries those are.
    fn decoys_from(&self, next: u64) -> Result<(u64, Vec<Touched>), LogError> {
        let page = self.log.entries(next, PAGE)?;
        let mut touched = Vec::new();
        for entry in page.iter().filter_map(|bytes| Entry::decode(bytes).ok()) {
            let (caller, records, presented) = match &entry.event {
                Event::Released {
                    caller, domain: Domain::Accounts, operation, records, ..
                } if *operation == Operation::Release => (caller, records, false),
                Event::Hardened { caller, records, .. } => (caller, records, true),
                _ => continue,
            };
            let decoys = records.as_slice().iter().copied();
            let decoys = decoys.filter(|r| self.decoys.is_decoy(Domain::Accounts, *r));
            let at = entry.at;
            touched.extend(decoys.map(|record| Touched {
                at,
                caller: caller.clone(),
                record,
                presented,
            }));
        }
        Ok((page.len() as u64, touched))
    }

    /// The first password of a decoy is ours: it is just being filled.
    async fn ring_for(&self, touched: Touched) -> Result<(), WatchError> {
        let Touched { at, caller, record, presented } = touched;
        if presented && store::first_password(&self.db, record).await? {
            return Ok(());
        }
        let what = if presented { "presented a password of" } else { "opened" };
        let detail = format!("{caller} {what} decoy {record}");
        self.alarms.ring(at, AlarmKind::Decoy, Some(&caller), detail).await;
        Ok(())
    }
}
