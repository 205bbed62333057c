//! Providers that rest, as the ledger has it: a pause that one worker finds due holds for all, and
//! what staff say to one instance the others hear.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cofferdam_store::StoreError;

use super::lane::Lane;
use super::run::Run;
use crate::domain::governor::Pause;

const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Follows the ledger until the letter stops.
pub async fn follow(run: Arc<Run>) {
    while !run.must_stop() {
        tokio::time::sleep(LOOK_EVERY).await;
        if let Err(e) = look(&run).await {
            tracing::warn!(cause = %e, "providers' pauses could not be looked after");
        }
    }
}

async fn look(run: &Run) -> Result<(), StoreError> {
    let (store, letter) = (&run.app.store, run.letter.letter);
    for lane in &run.lanes {
        let due = lane.pace().paused.clone().filter(|pause| !pause.kept);
        if let Some(Pause { why, .. }) = due {
            store.pause_provider(letter, lane.provider, &why, run.app.now()).await?;
            lane.pace().paused = Some(Pause { why, kept: true });
        }
    }
    let pauses = store.provider_pauses(letter).await?;
    run.lanes.iter().for_each(|lane| adopt(lane, &pauses));
    run.stirred.notify_waiters();
    Ok(())
}

/// Has a lane rest, or go on, as the ledger says. What the ledger does not know yet stays.
pub fn adopt(lane: &Lane, pauses: &BTreeMap<u16, String>) {
    let mut pace = lane.pace();
    match (pauses.get(&lane.provider), &pace.paused) {
        (Some(why), None) => pace.paused = Some(Pause { why: why.clone(), kept: true }),
        (None, Some(Pause { kept: true, .. })) => pace.resume(),
        _ => {}
    }
}
