//! Writing the pages of an exposure, so that one person is found in a few rows.

use std::sync::Arc;

use cofferdam_core::Timestamp;
use cofferdam_wire::{Problem, blocking};
use response_api::IncidentId;
use response_exposure::{FallenHosts, IndexedLog as _, Window, pages_of_segment};

use crate::app::App;
use crate::logs::FileLog;

/// Writes the pages of the exposure of `incident` that was computed at `computed`.
pub async fn write_pages(
    app: &App,
    (incident, computed): (IncidentId, Timestamp),
    hosts: FallenHosts,
    window: Window,
    logs: Vec<FileLog>,
) -> Result<(), Problem> {
    let (logs, hosts) = (Arc::new(logs), Arc::new(hosts));
    let mut number = 0;
    for place in 0..logs.len() {
        for segment in logs[place].segments() {
            let (logs, hosts) = (logs.clone(), hosts.clone());
            let pages =
                blocking(move || pages_of_segment(&logs[place], segment, &hosts, window)).await??;
            app.store.add_pages(incident, number, &pages).await?;
            number += 1;
        }
    }
    Ok(app.store.finish_pages(incident, computed).await?)
}
