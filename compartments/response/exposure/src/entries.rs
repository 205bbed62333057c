//! The log entries of fallen hosts in a window, for an evidence bag.

use std::ops::Range;

use crate::log::{IndexedLog, index_of, scan_part};
use crate::window::Share;
use crate::{FallenHosts, Window};

/// A page of entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntryPage {
    /// Entries with their numbers, ascending.
    pub entries: Vec<(u64, Vec<u8>)>,
    /// The number with which the next page begins; `None` on the last page.
    pub next: Option<u64>,
}

/// The entries with numbers in `range` that show what fallen hosts did in the window. A page ends
/// with an hour, and has at least `page_size` entries unless it is the last.
pub fn entries_of_hosts<L: IndexedLog>(
    log: &L,
    hosts: &FallenHosts,
    window: Window,
    range: Range<u64>,
    page_size: usize,
) -> Result<EntryPage, L::Error> {
    let mut page = EntryPage::default();
    for segment in log.segments() {
        let index = index_of(log, segment, hosts, &|parts| window.detail(parts).by_part())?;
        for (place, part) in (0_u16..).zip(&index.parts) {
            let is_outside = part.first + part.entries <= range.start || part.first >= range.end;
            let is_touched = index.bitmaps.values().flatten().any(|(of, _)| *of == place);
            let share = window.share(part);
            if is_outside || !is_touched || share == Share::None {
                continue;
            }
            let counts_whole = share == Share::Doubtful;
            scan_part(log, segment, part, hosts, &mut |number, entry| {
                log.kind().summarize()(entry, &mut |seen| {
                    let Some(touch) = &seen.touch else { return };
                    let is_theirs = hosts.is_exposed(touch.caller, touch.via, touch.operation);
                    let counts = counts_whole || window.holds(number, seen.at);
                    if range.contains(&number) && is_theirs && counts {
                        page.entries.push((number, entry.to_vec()));
                    }
                });
            })?;
            if page.entries.len() >= page_size {
                page.next = Some(part.first + part.entries);
                return Ok(page);
            }
        }
    }
    Ok(page)
}
