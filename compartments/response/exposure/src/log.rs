//! Reading a log for an exposure, by its indexes on every processor, or entry by entry.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use cofferdam_core::CallerName;
use cofferdam_index::{Detail, Fineness, IndexKey, Part, SegmentIndex, UnreadableEntry, Wanted};
use memchr::memmem::Finder;

use crate::{AccessEntry, FallenHosts, Findings, LogKind, Window};

/// The number of segments that one thread takes at once. With a billion events in ninety days, they
/// have about 25 MB of indexes.
const SEGMENTS_AT_ONCE: usize = 4;

/// Takes an entry with its number; fails for an entry that can't be decoded.
pub type EntryVisitor<'a> = &'a mut dyn FnMut(u64, &[u8]) -> Result<(), UnreadableEntry>;

/// A log that is cut into segments, each with an index. The server implements it over files.
pub trait IndexedLog: Sync {
    /// The name of a segment.
    type Segment: Copy + Send + Sync;
    /// The error of a log that can't be read.
    type Error: From<UnreadableEntry> + Send;

    /// The kind of the log.
    fn kind(&self) -> LogKind;

    /// The segments, in order.
    fn segments(&self) -> Vec<Self::Segment>;

    /// Reads the `wanted` part of a segment's index.
    fn index(
        &self,
        segment: Self::Segment,
        wanted: Wanted<'_>,
        detail: Fineness<'_>,
    ) -> Result<SegmentIndex, Self::Error>;

    /// Shows every entry of a part of a segment.
    fn scan(
        &self,
        segment: Self::Segment,
        part: &Part,
        visit: &mut dyn FnMut(&[u8]),
    ) -> Result<(), Self::Error>;

    /// Shows every entry of the log with its number, in order, until `visit` fails.
    fn scan_all(&self, visit: EntryVisitor<'_>) -> Result<(), Self::Error>;
}

/// The part of a log that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The indexes, and the entries of hours that lie only partly in the window.
    Index,
    /// The indexes, and then every entry. Where the two readings disagree, both count.
    IndexAndEntries,
}

/// Reads the findings of a log about the fallen hosts in a window.
pub fn read_log<L: IndexedLog>(
    log: &L,
    hosts: &FallenHosts,
    window: Window,
    source: Source,
) -> Result<Findings, L::Error> {
    let mut findings = read_indexes(log, hosts, window)?;
    if source == Source::IndexAndEntries {
        findings.add_second_reading(&read_entries(log, hosts, window)?);
    }
    Ok(findings)
}

/// Reads the names of all clients and hosts that a log names, by its indexes.
pub fn names_in<L: IndexedLog>(log: &L) -> Result<BTreeSet<CallerName>, L::Error> {
    let mut names = BTreeSet::new();
    for segment in log.segments() {
        let index = log.index(segment, &|_| false, &|_| Detail::Head)?;
        names.extend(index.keys.into_iter().flat_map(|key| [key.caller, key.via]));
        if log.kind() == LogKind::Access {
            // An access whose people can't be told has no key.
            let whole = index.notable.iter().filter_map(|of| AccessEntry::decode(&of.entry).ok());
            names.extend(whole.flat_map(|entry| [entry.caller, entry.via]));
        }
    }
    Ok(names)
}

/// Reads the index of a segment, as far as it concerns the fallen hosts.
pub fn index_of<L: IndexedLog>(
    log: &L,
    segment: L::Segment,
    hosts: &FallenHosts,
    detail: Fineness<'_>,
) -> Result<SegmentIndex, L::Error> {
    let wanted = |key: &IndexKey| hosts.is_exposed(&key.caller, &key.via, key.operation);
    log.index(segment, &wanted, detail)
}

/// Shows the entries of a part that name a fallen host, each with its number in the log. Entries
/// hold names as plain bytes, so an entry without such a name need not be decoded.
pub fn scan_part<L: IndexedLog>(
    log: &L,
    segment: L::Segment,
    part: &Part,
    hosts: &FallenHosts,
    visit: &mut dyn FnMut(u64, &[u8]),
) -> Result<(), L::Error> {
    let names: Vec<_> = hosts.callers().iter().map(|name| Finder::new(name.as_str())).collect();
    let mut number = part.first;
    log.scan(segment, part, &mut |entry| {
        if names.iter().any(|name| name.find(entry).is_some()) {
            visit(number, entry);
        }
        number += 1;
    })
}

/// Reads the indexes on as many threads as there are processors.
fn read_indexes<L: IndexedLog>(
    log: &L,
    hosts: &FallenHosts,
    window: Window,
) -> Result<Findings, L::Error> {
    let segments = log.segments();
    let next = AtomicUsize::new(0);
    let all = Mutex::new(Ok(Findings::default()));
    let work = || {
        let mut own = Ok(Findings::default());
        loop {
            let from = next.fetch_add(SEGMENTS_AT_ONCE, Ordering::Relaxed);
            let rest = segments.get(from..).unwrap_or_default();
            if rest.is_empty() {
                break;
            }
            let some = &rest[..rest.len().min(SEGMENTS_AT_ONCE)];
            if let Ok(findings) = &mut own
                && let Err(e) = read_some(log, some, hosts, window, findings)
            {
                own = Err(e);
            }
        }
        let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
        match (&mut *all, own) {
            (Ok(all), Ok(own)) => all.merge(own),
            (all @ Ok(_), Err(e)) => *all = Err(e),
            (Err(_), _) => {}
        }
    };
    let processors = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..processors.min(segments.len().max(1)) {
            scope.spawn(work);
        }
    });
    all.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn read_some<L: IndexedLog>(
    log: &L,
    segments: &[L::Segment],
    hosts: &FallenHosts,
    window: Window,
    findings: &mut Findings,
) -> Result<(), L::Error> {
    let read = |segment: &L::Segment| index_of(log, *segment, hosts, &|parts| window.detail(parts));
    let indexes = segments.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    for (place, part) in findings.add_indexes(log.kind(), &indexes, hosts, window) {
        let (segment, part) = (segments[place], &indexes[place].parts[part]);
        scan_part(log, segment, part, hosts, &mut |number, entry| {
            log.kind().summarize()(entry, &mut |seen| {
                findings.add_touch(number, seen, hosts, window);
            });
        })?;
    }
    Ok(())
}

fn read_entries<L: IndexedLog>(
    log: &L,
    hosts: &FallenHosts,
    window: Window,
) -> Result<Findings, L::Error> {
    let mut findings = Findings::default();
    log.scan_all(&mut |number, entry| {
        let decoded = findings.add_entry(log.kind(), (number, entry), hosts, window);
        if decoded { Ok(()) } else { Err(UnreadableEntry(number)) }
    })?;
    Ok(findings)
}

#[cfg(test)]
mod tests;
