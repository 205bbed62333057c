//! Lists of records in entries.

use cofferdam_core::Record;
use serde::{Deserialize, Serialize};

/// Ascending record numbers without repeats. They are encoded as the first number and then the
/// gaps, so that neighbours cost a byte each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordList(Vec<Record>);

impl RecordList {
    /// Makes the list of `records`, in ascending order and without repeats.
    #[must_use]
    pub fn new(mut records: Vec<Record>) -> Self {
        records.sort_unstable();
        records.dedup();
        Self(records)
    }

    /// The records, ascending.
    #[must_use]
    pub fn as_slice(&self) -> &[Record] {
        &self.0
    }
}

impl Serialize for RecordList {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut before = 0;
        to.collect_seq(self.0.iter().map(|record| {
            let gap = record.0 - before;
            before = record.0;
            gap
        }))
    }
}

impl<'de> Deserialize<'de> for RecordList {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let gaps = Vec::<u32>::deserialize(from)?;
        let mut records = Vec::with_capacity(gaps.len());
        let mut at = 0_u32;
        for (place, gap) in gaps.into_iter().enumerate() {
            if gap == 0 && place > 0 {
                return Err(serde::de::Error::custom("a record is listed twice"));
            }
            at = at
                .checked_add(gap)
                .ok_or_else(|| serde::de::Error::custom("a record number is above 32 bits"))?;
            records.push(Record(at));
        }
        Ok(Self(records))
    }
}
