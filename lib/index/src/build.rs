//! Making an index, entry by entry.

use std::collections::BTreeMap;

use cofferdam_core::{CallerName, FieldSet, Glancer, Operation, Record, Touch};
use roaring::RoaringBitmap;

use crate::{IndexKey, Notable, Part, PartBitmaps, SegmentIndex, Wanted};

/// An hour in milliseconds.
const HOUR_MS: i64 = 3_600_000;
/// Record numbers that wait before they go into a bitmap.
const WAITING: usize = 1 << 18;

/// Takes the entries of a segment in their order.
#[derive(Debug)]
pub struct IndexBuilder {
    glance: Glancer,
    next: u64,
    offset: u64,
    latest_ms: i64,
    parts: Vec<Part>,
    notable: Vec<Notable>,
    done: BTreeMap<IndexKey, PartBitmaps>,
    /// What was touched in the last part.
    open: Vec<Touched>,
}

/// The entry with this number can't be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("entry {0} of the log can't be decoded")]
pub struct UnreadableEntry(pub u64);

/// Records that one caller touched through one compartment with the same fields.
#[derive(Debug, Clone)]
struct Touched {
    caller: CallerName,
    via: CallerName,
    operation: Operation,
    fields: FieldSet,
    waiting: Vec<u32>,
    records: RoaringBitmap,
}

impl IndexBuilder {
    /// An index of the entries from number `first` on.
    #[must_use]
    pub const fn new(first: u64, glance: Glancer) -> Self {
        Self {
            glance,
            next: first,
            offset: 0,
            latest_ms: i64::MIN,
            parts: Vec::new(),
            notable: Vec::new(),
            done: BTreeMap::new(),
            open: Vec::new(),
        }
    }

    /// The number of the entry that comes next.
    #[must_use]
    pub const fn next(&self) -> u64 {
        self.next
    }

    /// Takes the next entry, which occupies `stored` bytes of its segment.
    pub fn add(&mut self, entry: &[u8], stored: u64) -> Result<(), UnreadableEntry> {
        let glance = self.glance;
        let sensible = glance(entry, &mut |seen| {
            self.keep_time(seen.at.as_millisecond());
            if let Some(touch) = &seen.touch {
                self.touch(touch);
            }
            if seen.notable {
                self.notable.push(Notable { index: self.next, entry: entry.to_vec() });
            }
        });
        if !sensible {
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

    /// Puts the next entry's instant into its part, which may be a new one.
    fn keep_time(&mut self, at_ms: i64) {
        let back_ms = self.latest_ms.saturating_sub(at_ms).max(0);
        let before = self.latest_ms;
        self.latest_ms = before.max(at_ms);
        let same = self.latest_ms.div_euclid(HOUR_MS) == before.div_euclid(HOUR_MS);
        match self.parts.last_mut() {
            Some(part) if same => {
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

    fn touch(&mut self, touch: &Touch<'_>) {
        let same = |of: &Touched| {
            of.fields == touch.fields
                && of.operation == touch.operation
                && of.caller == *touch.caller
                && of.via == *touch.via
        };
        let place = match self.open.iter().position(same) {
            // What comes often is found first.
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
                    waiting: Vec::new(),
                    records: RoaringBitmap::new(),
                });
                self.open.len() - 1
            }
        };
        let touched = &mut self.open[place];
        let known = touch.records.iter().filter(|record| **record != Record::NOBODY);
        touched.waiting.extend(known.map(|record| record.0));
        if touched.waiting.len() >= WAITING {
            touched.settle();
        }
    }

    fn close_part(&mut self) {
        let Some(part) = self.parts.len().checked_sub(1) else { return };
        for (key, records) in by_field(std::mem::take(&mut self.open)) {
            let part = u16::try_from(part).unwrap_or(u16::MAX);
            self.done.entry(key).or_default().push((part, records));
        }
    }

    /// The index of what was taken so far, with the bitmaps that are wanted.
    #[must_use]
    pub fn index(&self, wanted: Wanted<'_>) -> SegmentIndex {
        let mut index = SegmentIndex {
            parts: self.parts.clone(),
            notable: self.notable.clone(),
            keys: self.done.keys().cloned().collect(),
            ..SegmentIndex::default()
        };
        let chosen = self.done.iter().filter(|(key, _)| wanted(key));
        index.bitmaps = chosen.map(|(key, parts)| (key.clone(), parts.clone())).collect();
        let last = u16::try_from(self.parts.len().saturating_sub(1)).unwrap_or(u16::MAX);
        let open = self.open.iter().filter(|of| of.keys().any(|key| wanted(&key)));
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
    fn settle(&mut self) {
        self.waiting.sort_unstable();
        self.waiting.dedup();
        let waiting = std::mem::take(&mut self.waiting);
        // They are ascending and none is there twice.
        let new = RoaringBitmap::from_sorted_iter(waiting).unwrap_or_default();
        self.records |= new;
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

/// One bitmap a field: the same records may stand under several sets of fields.
fn by_field(touched: Vec<Touched>) -> BTreeMap<IndexKey, RoaringBitmap> {
    let mut fields: BTreeMap<IndexKey, RoaringBitmap> = BTreeMap::new();
    for mut of in touched {
        of.settle();
        for key in of.keys() {
            *fields.entry(key).or_default() |= &of.records;
        }
    }
    fields
}
