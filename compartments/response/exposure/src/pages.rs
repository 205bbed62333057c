//! Pages of an exposure: the events of 65,536 neighbouring records, hour by hour. One person's
//! history then takes a few rows of a database, whatever the size of the exposure.

use std::collections::BTreeMap;

use cofferdam_core::{CallerName, FieldSet, Record};
use cofferdam_index::{IndexKey, Part};
use response_api::Level;
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

use crate::log::{IndexedLog, index_of, scan_part};
use crate::window::Share;
use crate::{FallenHosts, Window};

/// The event of some records within an hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredSlot", into = "StoredSlot")]
pub struct Slot {
    /// The earliest instant, in milliseconds since 1970.
    pub first_ms: i64,
    /// The latest instant, in milliseconds since 1970.
    pub last_ms: i64,
    /// The caller that was served.
    pub caller: CallerName,
    /// The compartment through which it was served.
    pub via: CallerName,
    /// The level of exposure that follows.
    pub level: Level,
    /// Whether the fields were read under presence.
    pub signed_in: bool,
    /// The fields that were touched.
    pub fields: FieldSet,
}

/// A slot as pages hold it.
#[derive(Serialize, Deserialize)]
struct StoredSlot {
    first_ms: i64,
    last_ms: i64,
    caller: CallerName,
    via: CallerName,
    level: StoredLevel,
    fields: FieldSet,
}

/// The level of a stored slot. Kept pages hold the place in this list; earlier versions wrote a
/// [`Level`], whose places are the first ones.
#[derive(Clone, Copy, Serialize, Deserialize)]
enum StoredLevel {
    Read,
    Presented,
    Reachable,
    KnownUnset,
    ReadUnderPresence,
}

impl From<StoredSlot> for Slot {
    fn from(stored: StoredSlot) -> Self {
        let StoredSlot { first_ms, last_ms, caller, via, level, fields } = stored;
        let (level, signed_in) = match level {
            StoredLevel::Read => (Level::Read, false),
            StoredLevel::Presented => (Level::Presented, false),
            StoredLevel::Reachable => (Level::Reachable, false),
            StoredLevel::KnownUnset => (Level::KnownUnset, false),
            StoredLevel::ReadUnderPresence => (Level::Read, true),
        };
        Self { first_ms, last_ms, caller, via, level, signed_in, fields }
    }
}

impl From<Slot> for StoredSlot {
    fn from(slot: Slot) -> Self {
        let Slot { first_ms, last_ms, caller, via, level, signed_in, fields } = slot;
        let level = match level {
            Level::Read if signed_in => StoredLevel::ReadUnderPresence,
            Level::Read => StoredLevel::Read,
            Level::Presented => StoredLevel::Presented,
            Level::Reachable => StoredLevel::Reachable,
            Level::KnownUnset => StoredLevel::KnownUnset,
        };
        Self { first_ms, last_ms, caller, via, level, fields }
    }
}

/// Slots, each with the low 16 bits of its records: ascending, two bytes each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page(Vec<(Slot, Vec<u8>)>);

impl Page {
    /// The slots of one record, by its low 16 bits.
    pub fn slots_of(&self, low: u16) -> impl Iterator<Item = Slot> {
        let wanted = low.to_be_bytes();
        let holds = move |records: &[u8]| records.as_chunks::<2>().0.binary_search(&wanted).is_ok();
        self.0.iter().filter(move |(_, records)| holds(records)).map(|(slot, _)| slot.clone())
    }

    /// Encodes the page as it is stored.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        // Postcard can encode every type in a page, so this never fails.
        postcard::to_stdvec(self).unwrap_or_default()
    }

    /// Decodes a stored page.
    pub fn decode(bytes: &[u8]) -> Result<Self, postcard::Error> {
        postcard::from_bytes(bytes)
    }

    fn begin(&mut self, slot: &Slot) {
        self.0.push((slot.clone(), Vec::new()));
    }

    /// Adds a record to the last slot. It must be greater than the one before.
    fn push(&mut self, low: u16) {
        if let Some((_, records)) = self.0.last_mut() {
            records.extend_from_slice(&low.to_be_bytes());
        }
    }
}

/// The number of a record's page, and the record's low 16 bits.
#[must_use]
pub fn page_of(record: u32) -> (u16, u16) {
    let [a, b, c, d] = record.to_be_bytes();
    (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))
}

/// Makes the pages of one segment about the fallen hosts.
pub fn pages_of_segment<L: IndexedLog>(
    log: &L,
    segment: L::Segment,
    hosts: &FallenHosts,
    window: Window,
) -> Result<BTreeMap<u16, Page>, L::Error> {
    let mut pages: BTreeMap<u16, Page> = BTreeMap::new();
    for_each_slot(log, segment, hosts, window, &mut |slot, records| {
        // Records ascend, so those of one page follow each other.
        let mut open: Option<(u16, &mut Page)> = None;
        for record in records {
            let (number, low) = page_of(record);
            match &mut open {
                Some((at, page)) if *at == number => page.push(low),
                _ => {
                    let page = pages.entry(number).or_default();
                    page.begin(slot);
                    page.push(low);
                    open = Some((number, page));
                }
            }
        }
    })?;
    Ok(pages)
}

/// Shows each slot of a segment with its records.
pub fn for_each_slot<L: IndexedLog>(
    log: &L,
    segment: L::Segment,
    hosts: &FallenHosts,
    window: Window,
    show: &mut dyn FnMut(&Slot, &RoaringBitmap),
) -> Result<(), L::Error> {
    let index = index_of(log, segment, hosts, &|parts| window.detail(parts).by_part())?;
    for (key, parts) in &index.bitmaps {
        for (place, records) in parts {
            let Some(part) = index.parts.get(usize::from(*place)) else { continue };
            if matches!(window.share(part), Share::Whole | Share::Doubtful) {
                show_slot(key, part, hosts, records, show);
            }
        }
    }
    for part in index.parts.iter().filter(|part| window.share(part) == Share::Some) {
        for (key, records) in touched_within(log, segment, part, hosts, window)? {
            show_slot(&key, part, hosts, &records, show);
        }
    }
    Ok(())
}

fn show_slot(
    key: &IndexKey,
    part: &Part,
    hosts: &FallenHosts,
    records: &RoaringBitmap,
    show: &mut dyn FnMut(&Slot, &RoaringBitmap),
) {
    let named: FieldSet = key.field.into_iter().collect();
    for exposed in hosts.exposed(&key.caller, &key.via, key.operation, named) {
        let slot = Slot {
            first_ms: part.first_ms,
            last_ms: part.last_ms,
            caller: key.caller.clone(),
            via: key.via.clone(),
            level: exposed.level,
            signed_in: exposed.signed_in,
            fields: exposed.fields,
        };
        show(&slot, records);
    }
}

/// The records that fallen hosts touched in an hour that lies only partly in the window.
fn touched_within<L: IndexedLog>(
    log: &L,
    segment: L::Segment,
    part: &Part,
    hosts: &FallenHosts,
    window: Window,
) -> Result<BTreeMap<IndexKey, RoaringBitmap>, L::Error> {
    let mut all: BTreeMap<IndexKey, RoaringBitmap> = BTreeMap::new();
    scan_part(log, segment, part, hosts, &mut |number, entry| {
        log.kind().summarize()(entry, &mut |seen| {
            let held = window.holds(number, seen.at);
            let Some(touch) = seen.touch.as_ref().filter(|_| held) else { return };
            if !hosts.is_exposed(touch.caller, touch.via, touch.operation) {
                return;
            }
            let no_field = touch.fields.is_empty().then_some(None);
            for field in touch.fields.iter().map(Some).chain(no_field) {
                let key = IndexKey {
                    caller: touch.caller.clone(),
                    via: touch.via.clone(),
                    operation: touch.operation,
                    field,
                };
                let known = touch.records.iter().filter(|record| **record != Record::NOBODY);
                all.entry(key).or_default().extend(known.map(|record| record.0));
            }
        });
    })?;
    Ok(all)
}

#[cfg(test)]
mod tests {
    use cofferdam_core::Field;

    use super::*;

    #[test]
    fn a_record_is_found_in_its_slots_and_in_no_other() {
        let slot = |hour: i64| Slot {
            signed_in: false,
            first_ms: hour,
            last_ms: hour,
            caller: "web-1".parse().unwrap(),
            via: "accounts".parse().unwrap(),
            level: Level::Read,
            fields: FieldSet::EMPTY,
        };
        let mut page = Page::default();
        for (hour, records) in [(1, vec![3, 7, 65_535]), (2, vec![0, 7, 300])] {
            page.begin(&slot(hour));
            for record in records {
                page.push(record);
            }
        }
        let again = Page::decode(&page.encode()).unwrap();
        let hours = |low| again.slots_of(low).map(|slot| slot.first_ms).collect::<Vec<_>>();
        assert_eq!((hours(7), hours(3), hours(0)), (vec![1, 2], vec![1], vec![2]));
        assert_eq!((hours(8), hours(65_535)), (vec![], vec![1]));
    }

    /// A slot as versions before presence wrote it.
    #[derive(Serialize)]
    struct OldSlot {
        first_ms: i64,
        last_ms: i64,
        caller: CallerName,
        via: CallerName,
        level: Level,
        fields: FieldSet,
    }

    fn slot(level: Level, signed_in: bool) -> Slot {
        Slot {
            first_ms: 3,
            last_ms: 4,
            caller: "web-1".parse().unwrap(),
            via: "accounts".parse().unwrap(),
            level,
            signed_in,
            fields: FieldSet::EMPTY.with(Field::Phone),
        }
    }

    #[test]
    fn pages_keep_presence_and_old_pages_know_none() {
        let mut page = Page::default();
        let slots = Level::ALL.map(|level| slot(level, false));
        for slot in slots.iter().chain([&slot(Level::Read, true)]) {
            page.begin(slot);
            page.push(7);
        }
        assert_eq!(Page::decode(&page.encode()).unwrap(), page);

        let old = |slot: &Slot| {
            let Slot { first_ms, last_ms, caller, via, level, fields, .. } = slot.clone();
            (OldSlot { first_ms, last_ms, caller, via, level, fields }, vec![0_u8, 7])
        };
        let old: Vec<_> = slots.iter().map(old).collect();
        let read = Page::decode(&postcard::to_stdvec(&old).unwrap()).unwrap();
        assert_eq!(read.slots_of(7).collect::<Vec<_>>(), slots);
    }
}
