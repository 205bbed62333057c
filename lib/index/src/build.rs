//! Builds the index of a segment, entry by entry.

use std::collections::BTreeMap;

use cofferdam_core::{CallerName, FieldSet, Operation, Record, SummarizeEntry, Touch};
use roaring::RoaringBitmap;

use crate::{IndexKey, Notable, Part, PartBitmaps, SegmentIndex, Wanted};

const HOUR_MS: i64 = 3_600_000;
/// The number of buffered record numbers at which a buffer is flushed into its bitmap.
const FLUSH_AT: usize = 1 << 18;

/// Builds an index from the entries of a segment, which must be added in the order of the log.
#[derive(Debug)]
pub struct IndexBuilder {
    summarize: SummarizeEntry,
    /// The number of the next entry in the log.
    next: u64,
    /// The offset of the next entry in the segment, in bytes.
    offset: u64,
    /// The latest instant of any entry so far.
    latest_ms: i64,
    parts: Vec<Part>,
    notable: Vec<Notable>,
    /// The bitmaps of every part before the last.
    closed: BTreeMap<IndexKey, PartBitmaps>,
    /// The accesses in the last part.
    open: Vec<Touched>,
}

/// The entry with this number in the log can't be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("entry {0} of the log can't be decoded")]
pub struct UnreadableEntry(pub u64);

/// The records touched by one caller through one compartment with one operation and set of fields.
#[derive(Debug, Clone)]
struct Touched {
    caller: CallerName,
    via: CallerName,
    operation: Operation,
    fields: FieldSet,
    /// Record numbers that are not in `records` yet: a sorted run goes into a bitmap much faster
    /// than single numbers in random order.
    buffer: Vec<u32>,
    records: RoaringBitmap,
}

impl IndexBuilder {
    /// A builder for the segment whose first entry has the number `first` in the log.
    #[must_use]
    pub const fn new(first: u64, summarize: SummarizeEntry) -> Self {
        Self {
            summarize,
            next: first,
            offset: 0,
            latest_ms: i64::MIN,
            parts: Vec::new(),
            notable: Vec::new(),
            closed: BTreeMap::new(),
            open: Vec::new(),
        }
    }

    /// The number of the next entry to add.
    #[must_use]
    pub const fn next(&self) -> u64 {
        self.next
    }

    /// Adds the next entry, whose frame occupies `stored` bytes of the segment.
    pub fn add(&mut self, entry: &[u8], stored: u64) -> Result<(), UnreadableEntry> {
        let summarize = self.summarize;
        let decoded = summarize(entry, &mut |seen| {
            self.extend_parts(seen.at.as_millisecond());
            if let Some(touch) = &seen.touch {
                self.add_touch(touch);
            }
            if seen.notable {
                self.notable.push(Notable { index: self.next, entry: entry.to_vec() });
            }
        });
        if !decoded {
            return Err(UnreadableEntry(self.next));
        }
        self.next += 1;
        self.offset += stored;
        if let Some(part) = self.parts.last_mut() {
            part.end = self.offset;
            part.entries += 1;
        }
        Ok(())
    }

    /// Extends the last part to an entry at `at_ms`, or begins a new part.
    fn extend_parts(&mut self, at_ms: i64) {
        let back_ms = self.latest_ms.saturating_sub(at_ms).max(0);
        let before = self.latest_ms;
        self.latest_ms = before.max(at_ms);
        let same_hour = self.latest_ms.div_euclid(HOUR_MS) == before.div_euclid(HOUR_MS);
        match self.parts.last_mut() {
            Some(part) if same_hour => {
                part.first_ms = part.first_ms.min(at_ms);
                part.last_ms = part.last_ms.max(at_ms);
                part.back_ms = part.back_ms.max(back_ms);
            }
            _ => {
                self.close_part();
                self.parts.push(Part {
                    first_ms: at_ms,
                    last_ms: at_ms,
                    back_ms: 0,
                    start: self.offset,
                    end: self.offset,
                    first: self.next,
                    entries: 0,
                });
            }
        }
    }

    fn add_touch(&mut self, touch: &Touch<'_>) {
        let same = |touched: &Touched| {
            touched.fields == touch.fields
                && touched.operation == touch.operation
                && touched.caller == *touch.caller
                && touched.via == *touch.via
        };
        let place = match self.open.iter().position(same) {
            // Frequent accesses move to the front, where the next search finds them sooner.
            Some(place @ 8..) => {
                self.open.swap(place, place / 2);
                place / 2
            }
            Some(place) => place,
            None => {
                self.open.push(Touched {
                    caller: touch.caller.clone(),
                    via: touch.via.clone(),
                    operation: touch.operation,
                    fields: touch.fields,
                    buffer: Vec::new(),
                    records: RoaringBitmap::new(),
                });
                self.open.len() - 1
            }
        };
        let touched = &mut self.open[place];
        let known = touch.records.iter().filter(|record| **record != Record::NOBODY);
        touched.buffer.extend(known.map(|record| record.0));
        if touched.buffer.len() >= FLUSH_AT {
            touched.flush();
        }
    }

    fn close_part(&mut self) {
        let Some(part) = self.parts.len().checked_sub(1) else { return };
        for (key, records) in by_field(std::mem::take(&mut self.open)) {
            let part = u16::try_from(part).unwrap_or(u16::MAX);
            self.closed.entry(key).or_default().push((part, records));
        }
    }

    /// The index of the entries so far, with the bitmaps of the wanted keys.
    #[must_use]
    pub fn index(&self, wanted: Wanted<'_>) -> SegmentIndex {
        let mut index = SegmentIndex {
            parts: self.parts.clone(),
            notable: self.notable.clone(),
            keys: self.closed.keys().cloned().collect(),
            ..SegmentIndex::default()
        };
        let chosen = self.closed.iter().filter(|(key, _)| wanted(key));
        index.bitmaps = chosen.map(|(key, parts)| (key.clone(), parts.clone())).collect();
        let last = u16::try_from(self.parts.len().saturating_sub(1)).unwrap_or(u16::MAX);
        let open = self.open.iter().filter(|touched| touched.keys().any(|key| wanted(&key)));
        for (key, records) in by_field(open.cloned().collect()) {
            if wanted(&key) {
                index.bitmaps.entry(key).or_default().push((last, records));
            }
        }
        index.keys.extend(self.open.iter().flat_map(Touched::keys));
        index.keys.sort_unstable();
        index.keys.dedup();
        index
    }
}

impl Touched {
    fn flush(&mut self) {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.sort_unstable();
        buffer.dedup();
        #[expect(clippy::expect_used, reason = "the buffer is sorted and has no duplicates")]
        let flushed = RoaringBitmap::from_sorted_iter(buffer).expect("ascending numbers");
        self.records |= flushed;
    }

    fn keys(&self) -> impl Iterator<Item = IndexKey> {
        let none = self.fields.is_empty().then_some(None);
        self.fields.iter().map(Some).chain(none).map(|field| IndexKey {
            caller: self.caller.clone(),
            via: self.via.clone(),
            operation: self.operation,
            field,
        })
    }
}

/// Merges accesses into one bitmap per key, because a field may occur in several sets of fields.
fn by_field(open: Vec<Touched>) -> BTreeMap<IndexKey, RoaringBitmap> {
    let mut bitmaps: BTreeMap<IndexKey, RoaringBitmap> = BTreeMap::new();
    for mut touched in open {
        touched.flush();
        for key in touched.keys() {
            *bitmaps.entry(key).or_default() |= &touched.records;
        }
    }
    bitmaps
}
