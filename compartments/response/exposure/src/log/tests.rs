use std::collections::BTreeSet;

use cofferdam_core::{Domain, Epoch, Field, FieldSet, Operation, Record, Timestamp};
use cofferdam_index::IndexBuilder;
use keys_api::{Entry, Event, RecordList, summarize};
use response_api::{DoubtCause, People};

use super::*;
use crate::entries::entries_of_hosts;
use crate::pages::{page_of, pages_of_segment};
use crate::person::slots_of_record;

/// A log in memory. Each segment holds its entries, and may have an index that lies.
#[derive(Default)]
struct MemoryLog {
    segments: Vec<Vec<Entry>>,
    /// The segment whose index leaves everything out.
    blind: Option<usize>,
    broken: Option<usize>,
    /// How many hours were shown entry by entry.
    scans: AtomicUsize,
}

impl IndexedLog for MemoryLog {
    type Segment = usize;
    type Error = UnreadableEntry;

    fn kind(&self) -> LogKind {
        LogKind::Release
    }

    fn segments(&self) -> Vec<usize> {
        (0..self.segments.len()).collect()
    }

    fn index(
        &self,
        segment: usize,
        wanted: Wanted<'_>,
        _: Fineness<'_>,
    ) -> Result<SegmentIndex, UnreadableEntry> {
        if self.broken == Some(segment) {
            return Err(UnreadableEntry(segment as u64));
        }
        let first: usize = self.segments[..segment].iter().map(Vec::len).sum();
        let mut builder = IndexBuilder::new(first as u64, summarize);
        for entry in &self.segments[segment] {
            let bytes = entry.encode();
            builder.add(&bytes, bytes.len() as u64)?;
        }
        Ok(builder.index(&|key| self.blind != Some(segment) && wanted(key)))
    }

    fn scan(
        &self,
        segment: usize,
        part: &Part,
        visit: &mut dyn FnMut(&[u8]),
    ) -> Result<(), UnreadableEntry> {
        self.scans.fetch_add(1, Ordering::Relaxed);
        let first: usize = self.segments[..segment].iter().map(Vec::len).sum();
        let from = usize::try_from(part.first).unwrap() - first;
        let to = from + usize::try_from(part.entries).unwrap();
        for entry in &self.segments[segment][from..to] {
            visit(&entry.encode());
        }
        Ok(())
    }

    fn scan_all(&self, visit: EntryVisitor<'_>) -> Result<(), UnreadableEntry> {
        let entries = self.segments.iter().flatten();
        (0..).zip(entries).try_for_each(|(number, entry)| visit(number, &entry.encode()))
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn released(second: i64, caller: &str, records: &[u32]) -> Entry {
    let event = Event::Released {
        caller: caller.parse().unwrap(),
        via: "accounts".parse().unwrap(),
        domain: Domain::Accounts,
        operation: Operation::Release,
        fields: FieldSet::EMPTY.with(Field::Name),
        epoch: Epoch(0),
        records: RecordList::new(records.iter().copied().map(Record).collect()),
        warrant: None,
    };
    Entry { at: at(second), event }
}

/// Twelve days; each hour of a day, one release to a fallen host and one to another.
fn twelve_days() -> MemoryLog {
    let day = |day: i64| {
        (0..24)
            .flat_map(|hour| {
                let second = day * 86_400 + hour * 3_600;
                let record = u32::try_from(day * 100 + hour).unwrap();
                [
                    released(second + 600, "web-ky-1", &[record, 70_000 + record]),
                    released(second + 1_200, "web-ky-2", &[9_000]),
                ]
            })
            .collect()
    };
    MemoryLog { segments: (0..12).map(day).collect(), ..MemoryLog::default() }
}

fn hosts() -> FallenHosts {
    FallenHosts::new(People::Accounts, &["web-ky-1".parse().unwrap()])
}

/// From the middle of an hour on the second day to the middle of an hour on the tenth.
fn window() -> Window {
    Window::new(at(86_400 + 5 * 3_600 + 900), Some(at(9 * 86_400 + 7 * 3_600 + 900)))
}

#[test]
fn every_segment_is_read_once_and_hours_at_the_ends_entry_by_entry() {
    let findings = read_log(&twelve_days(), &hosts(), window(), Source::Index).unwrap();
    let expected: BTreeSet<u32> = (0..12)
        .flat_map(|day| (0..24).map(move |hour| (day, hour)))
        .filter(|(day, hour)| (1, 6) <= (*day, *hour) && (*day, *hour) <= (9, 7))
        .flat_map(|(day, hour)| [day * 100 + hour, 70_000 + day * 100 + hour])
        .collect();
    let read: BTreeSet<u32> = findings.levels.read[&Field::Name].iter().collect();
    assert_eq!(read, expected);
    assert_eq!(findings.doubts, []);
}

#[test]
fn a_second_reading_adds_what_an_index_left_out() {
    let honest = read_log(&twelve_days(), &hosts(), window(), Source::IndexAndEntries).unwrap();
    assert_eq!(honest.doubts, []);
    let blind = MemoryLog { blind: Some(4), ..twelve_days() };
    let by_index = read_log(&blind, &hosts(), window(), Source::Index).unwrap();
    assert_ne!(by_index.levels, honest.levels);
    let both = read_log(&blind, &hosts(), window(), Source::IndexAndEntries).unwrap();
    assert_eq!(both.levels, honest.levels);
    assert_eq!(both.doubts, [DoubtCause::IndexDisagrees { customers: 48 }]);
}

#[test]
fn a_segment_that_cannot_be_read_fails_the_whole_reading() {
    let broken = MemoryLog { broken: Some(7), ..twelve_days() };
    let read = read_log(&broken, &hosts(), window(), Source::Index);
    assert_eq!(read.unwrap_err(), UnreadableEntry(7));
}

#[test]
fn pages_and_a_direct_reading_tell_the_same_of_one_person() {
    let (log, hosts) = (twelve_days(), hosts());
    let pages: Vec<_> = log
        .segments()
        .into_iter()
        .map(|segment| pages_of_segment(&log, segment, &hosts, window()).unwrap())
        .collect();
    for record in [105, 106, 107, 907, 908, 70_500, 70_106, 9_000] {
        let (number, low) = page_of(record);
        let paged: Vec<_> = pages
            .iter()
            .filter_map(|pages| pages.get(&number))
            .flat_map(|page| page.slots_of(low))
            .collect();
        let direct = slots_of_record(&log, &hosts, window(), Record(record)).unwrap();
        assert_eq!(paged, direct, "{record}");
        let within = ![105, 908, 9_000].contains(&record);
        assert_eq!(direct.len(), usize::from(within), "{record}");
    }
}

#[test]
fn a_page_names_an_hour_once_and_takes_two_bytes_for_each_record() {
    let size = |records: &[u32]| {
        let segments = vec![vec![released(600, "web-ky-1", records)]];
        let log = MemoryLog { segments, ..MemoryLog::default() };
        let everything = Window::new(at(0), None);
        let pages = pages_of_segment(&log, 0, &hosts(), everything).unwrap();
        pages.into_values().map(|page| page.encode().len()).collect::<Vec<_>>()
    };
    let one = size(&[1])[0];
    assert_eq!(size(&[1, 2, 3, 70_000]), [one + 4, one]);
}

#[test]
fn pages_of_entries_hold_every_entry_of_a_fallen_host_in_the_window_once() {
    let (log, hosts) = (twelve_days(), hosts());
    let all: Vec<Entry> = log.segments.iter().flatten().cloned().collect();
    let is_theirs = |entry: &Entry| match &entry.event {
        Event::Released { caller, .. } => caller.as_str() == "web-ky-1",
        _ => false,
    };
    let expected: Vec<u64> = (0..)
        .zip(&all)
        .filter(|(number, entry)| is_theirs(entry) && window().holds(*number, entry.at))
        .map(|(number, _)| number)
        .collect();
    // The end of the exposure lies before the window's end.
    for (end, page_size) in [(all.len() as u64, 10), (all.len() as u64, 1), (300, 7)] {
        let (mut found, mut from) = (Vec::new(), 0);
        loop {
            let page = entries_of_hosts(&log, &hosts, window(), from..end, page_size).unwrap();
            for (number, entry) in &page.entries {
                assert_eq!(*entry, all[usize::try_from(*number).unwrap()].encode());
                found.push(*number);
            }
            match page.next {
                Some(next) => from = next,
                None => break,
            }
        }
        let expected: Vec<_> = expected.iter().copied().filter(|number| *number < end).collect();
        assert_eq!(found, expected, "{end} {page_size}");
    }
}

#[test]
fn entries_are_looked_for_only_in_hours_of_the_range_the_window_and_the_host() {
    let hour = 3_600;
    let segment = vec![
        released(600, "web-ky-1", &[1]),
        released(hour + 300, "web-ky-2", &[9]),
        released(hour + 600, "web-ky-1", &[2]),
        released(2 * hour + 600, "web-ky-2", &[3]),
        released(3 * hour + 600, "web-ky-1", &[4]),
        released(4 * hour + 600, "web-ky-1", &[5]),
    ];
    let log = MemoryLog { segments: vec![segment], ..MemoryLog::default() };
    let window = |from, to| Window::new(at(from * hour), Some(at(to * hour)));
    for (window, range, numbers, scans) in [
        (window(0, 5), 0..6, vec![0, 2, 4, 5], 4),
        (window(0, 5), 1..6, vec![2, 4, 5], 3),
        (window(0, 5), 2..5, vec![2, 4], 2),
        (window(0, 5), 3..4, vec![], 0),
        (window(1, 4), 0..6, vec![2, 4], 2),
    ] {
        log.scans.store(0, Ordering::Relaxed);
        let page = entries_of_hosts(&log, &hosts(), window, range.clone(), 10).unwrap();
        let found: Vec<u64> = page.entries.iter().map(|(number, _)| *number).collect();
        let scanned = log.scans.load(Ordering::Relaxed);
        assert_eq!((found, scanned, page.next), (numbers, scans, None), "{range:?}");
    }
}
