//! Writing the pages of an exposure, so that one person is found in a few rows.

use std::sync::Arc;

use cofferdam_core::Timestamp;
use cofferdam_wire::{Problem, blocking};
use response_api::{Exposure, IncidentId};
use response_exposure::{FallenHosts, IndexedLog as _, Window, pages_of_segment};

use crate::app::App;
use crate::logs::FileLog;
use crate::store::Finding;

/// Writes the pages of the exposure of `incident` that was computed at `computed`. Stops if a newer
/// exposure takes its place.
pub async fn write_pages(
    app: &App,
    (incident, computed): (IncidentId, Timestamp),
    hosts: FallenHosts,
    logs: Vec<(FileLog, Window)>,
) -> Result<(), Problem> {
    let (logs, hosts) = (Arc::new(logs), Arc::new(hosts));
    let mut number = 0;
    for place in 0..logs.len() {
        for segment in logs[place].0.segments() {
            let (logs, hosts) = (logs.clone(), hosts.clone());
            let pages = blocking(move || {
                let (log, window) = &logs[place];
                pages_of_segment(log, segment, &hosts, *window)
            });
            let pages = pages.await??;
            let kept = app.store.finding::<Exposure>(incident, Finding::Exposure).await?;
            if kept.is_none_or(|kept| kept.computed != computed) {
                return Ok(());
            }
            app.store.add_pages(incident, number, &pages).await?;
            number += 1;
        }
    }
    Ok(app.store.finish_pages(incident, computed).await?)
}
