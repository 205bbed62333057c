//! A page of an exposure: what happened, by the hour, to some of 65,536 neighbouring records.

use cofferdam_core::{CallerName, FieldSet};
use response_api::Level;
use serde::{Deserialize, Serialize};

/// What happened within an hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// Not before, in milliseconds since 1970.
    pub first_ms: i64,
    /// Not after.
    pub last_ms: i64,
    /// For which caller.
    pub caller: CallerName,
    /// Through which compartment.
    pub via: CallerName,
    /// How far it went.
    pub level: Level,
    /// Which fields.
    pub fields: FieldSet,
}

/// The page of a record, and its place there.
#[must_use]
pub fn place(record: u32) -> (u16, u16) {
    let [a, b, c, d] = record.to_be_bytes();
    (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))
}

/// Slots, and the low 16 bits of the records in each, ascending, two bytes each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page(Vec<(Slot, Vec<u8>)>);

impl Page {
    /// Begins a slot.
    pub fn begin(&mut self, slot: &Slot) {
        self.0.push((slot.clone(), Vec::new()));
    }

    /// Adds a record to the last slot: more than the one before.
    pub fn push(&mut self, low: u16) {
        if let Some((_, records)) = self.0.last_mut() {
            records.extend_from_slice(&low.to_be_bytes());
        }
    }

    /// The slots in which a record stands.
    pub fn of(&self, low: u16) -> impl Iterator<Item = Slot> {
        let wanted = low.to_be_bytes();
        let holds = move |records: &[u8]| records.as_chunks::<2>().0.binary_search(&wanted).is_ok();
        self.0.iter().filter(move |(_, records)| holds(records)).map(|(slot, _)| slot.clone())
    }

    /// As it is stored.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        // Only types of which postcard knows all: it can't fail.
        postcard::to_stdvec(self).unwrap_or_default()
    }

    /// Reads what was stored.
    pub fn decode(bytes: &[u8]) -> Result<Self, postcard::Error> {
        postcard::from_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_found_in_its_slots_and_in_no_other() {
        let slot = |hour: i64| Slot {
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
        let hours = |low| again.of(low).map(|slot| slot.first_ms).collect::<Vec<_>>();
        assert_eq!((hours(7), hours(3), hours(0)), (vec![1, 2], vec![1], vec![2]));
        assert_eq!((hours(8), hours(65_535)), (vec![], vec![1]));
    }
}
