//! The log entries that concern fallen hosts, with their proofs.

use cofferdam_tlog::Hash;
use cofferdam_wire::{Problem, blocking};
use response_api::{EvidenceEntry, EvidencePage, Exposure, Incident};
use response_exposure::{FallenHosts, entries_of_hosts, release_log_window};

use super::scope::release_log_windows;
use crate::app::App;
use crate::logs::FileLog;

/// The fewest entries of a page that is not the last.
const PAGE: usize = 1_000;

/// A page of the entries of one log, from number `from` on, up to the exposure's end.
pub async fn evidence_page(
    app: &App,
    incident: &Incident,
    exposure: &Exposure,
    (log, from): (usize, u64),
) -> Result<EvidencePage, Problem> {
    let missing = || Problem::not_found("the exposure was not computed from such a log");
    let proof = exposure.logs.get(log).ok_or_else(missing)?;
    let (size, sightings) = (proof.size, proof.sightings.unwrap_or_default());
    let followed = app.logs.followed.get(log).ok_or_else(missing)?;
    let hosts = FallenHosts::of(incident);
    let (_, clock_moved) = release_log_windows(app, incident).await?;
    // The window as it was when the exposure was computed.
    let window = release_log_window(incident, &sightings, !clock_moved.is_empty());
    let file_log = FileLog::of_copy(followed, &hosts, size).await?;
    let page =
        blocking(move || entries_of_hosts(&file_log, &hosts, window, from..size, PAGE)).await??;
    let copy = followed.copy.lock().await;
    let mut entries = Vec::with_capacity(page.entries.len());
    for (index, entry) in page.entries {
        let proof = copy.inclusion(index, size)?;
        let proof = proof.into_iter().map(|Hash(hash)| hash).collect();
        entries.push(EvidenceEntry { index, entry, proof });
    }
    Ok(EvidencePage { entries, next: page.next })
}
