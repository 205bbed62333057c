//! The log entries that concern fallen hosts, and the anchors of journals, with their proofs.

use cofferdam_tlog::Hash;
use cofferdam_wire::{Problem, blocking};
use response_api::{AnchorPage, EvidenceEntry, EvidencePage, Exposure, Incident, ListAnchors};
use response_exposure::{FallenHosts, entries_of_hosts, release_log_window};

use super::scope::release_log_windows;
use crate::app::App;
use crate::logs::FileLog;
use crate::loops::copy_logs;

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

/// A page of the anchors of one journal in one log. The first page brings the copies up to date.
pub async fn anchor_page(app: &App, call: &ListAnchors) -> Result<AnchorPage, Problem> {
    let log = usize::try_from(call.log).unwrap_or(usize::MAX);
    let missing = || Problem::not_found("no such log is followed");
    let followed = app.logs.followed.get(log).ok_or_else(missing)?;
    if call.size.is_none() {
        copy_logs(app).await;
    }
    let copy = followed.copy.lock().await;
    let end = copy.end();
    let size = call.size.unwrap_or(end.size);
    if size > end.size {
        return Err(Problem::bad_request("size: the copy has fewer entries"));
    }
    let wanted = copy.anchors().of(call.incident).iter().map(|anchor| anchor.index);
    let wanted = wanted.filter(|index| (call.from..size).contains(index)).take(PAGE + 1);
    let mut places: Vec<u64> = wanted.collect();
    let next = if places.len() > PAGE { places.pop() } else { None };
    let checkpoint = Some(end.note).filter(|note| call.size.is_none() && !note.is_empty());
    Ok(AnchorPage { size, checkpoint, anchors: copy.prove(&places, size)?, next })
}
