//! Entries that concern fallen hosts, with their proofs.

use std::sync::Arc;

use cofferdam_tlog::{Hash, TlogError};
use cofferdam_wire::Problem;
use keys_api::glance;
use response_api::{Exposure, Incident, ScopedEntries, ScopedEntry};

use super::scope::doubts::moved_clocks;
use super::scope::read::Readable;
use super::scope::window;
use crate::app::App;
use crate::domain::scope::{Fallen, Share, Window};
use crate::log_copy::CopyEnd;

/// Entries of a page, at least.
const PAGE: usize = 1_000;

/// A page of what one log says of the fallen hosts, up to the exposure's end.
pub async fn scoped(
    app: &App,
    incident: &Incident,
    exposure: &Exposure,
    log: usize,
    from: u64,
) -> Result<ScopedEntries, Problem> {
    let none = || Problem::not_found("the exposure was computed from no such log");
    let size = exposure.logs.get(log).ok_or_else(none)?.size;
    let followed = app.logs.get(log).ok_or_else(none)?;
    let fallen = Arc::new(Fallen::of(incident));
    let moved = moved_clocks(app, incident).await?;
    let window = window(incident, &moved);
    let ends: Vec<CopyEnd> = {
        let mut ends = Vec::with_capacity(app.logs.len());
        for log in &app.logs {
            ends.push(log.copy.lock().await.end());
        }
        ends
    };
    let mut logs = Readable::all(app, &fallen, &ends).await?;
    let readable = logs.swap_remove(log);
    let found = cofferdam_wire::blocking(move || find(&readable, &fallen, window, from, size));
    let (found, next) = found.await??;
    let copy = followed.copy.lock().await;
    let mut entries = Vec::with_capacity(found.len());
    for (index, entry) in found {
        let proof = copy.inclusion(index, size)?;
        let proof = proof.into_iter().map(|Hash(hash)| hash).collect();
        entries.push(ScopedEntry { index, entry, proof });
    }
    Ok(ScopedEntries { entries, next })
}

/// Entries with their numbers, and where to go on.
type Found = (Vec<(u64, Vec<u8>)>, Option<u64>);

fn find(
    log: &Readable,
    fallen: &Fallen,
    window: Window,
    from: u64,
    size: u64,
) -> Result<Found, TlogError> {
    let mut found = Vec::new();
    for name in log.names() {
        let index = log.index(name, fallen, &|parts| window.detail(parts).by_part())?;
        for (place, part) in (0_u16..).zip(&index.parts) {
            let past = part.first + part.entries <= from || part.first >= size;
            let touched = index.bitmaps.values().flatten().any(|(of, _)| *of == place);
            if past || !touched || window.share(part) == Share::None {
                continue;
            }
            let whole = window.share(part) == Share::Doubtful;
            log.scan(name, part, fallen, &mut |number, entry| {
                let wanted = (from..size).contains(&number);
                glance(entry, &mut |seen| {
                    let Some(touch) = &seen.touch else { return };
                    let fell = fallen.level(touch.caller, touch.via, touch.operation).is_some();
                    if wanted && fell && (whole || window.holds(seen.at)) {
                        found.push((number, entry.to_vec()));
                    }
                });
            })?;
            if found.len() >= PAGE {
                return Ok((found, Some(part.first + part.entries)));
            }
        }
    }
    Ok((found, None))
}
