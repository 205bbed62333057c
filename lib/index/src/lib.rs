//! The index of a log segment, in memory: for each caller, compartment, operation and field, one
//! Roaring bitmap per hour of the records touched. The index follows from the segment alone and can
//! be rebuilt at any time.
//!
//! May touch: nothing. `tlog` keeps indexes in files beside the segments; `exposure` reasons about
//! them. Called by: both, and by `response`, which indexes the segment that still grows.

mod build;

use std::collections::BTreeMap;

use cofferdam_core::{CallerName, Field, Operation};
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

pub use build::{IndexBuilder, UnreadableEntry};

/// Who did what.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct IndexKey {
    /// For whom.
    pub caller: CallerName,
    /// Through which compartment.
    pub via: CallerName,
    /// What.
    pub operation: Operation,
    /// With which field; `None` where the operation names none.
    pub field: Option<Field>,
}

/// A run of entries within one hour, by the latest time seen so far: a clock that is set back
/// begins no new one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The earliest instant in it, in milliseconds since 1970.
    pub first_ms: i64,
    /// The latest.
    pub last_ms: i64,
    /// How far the clock went back at most, in milliseconds.
    pub back_ms: i64,
    /// Where its first entry begins in the segment, in bytes.
    pub start: u64,
    /// Where its last entry ends.
    pub end: u64,
    /// The index of its first entry in the log.
    pub first: u64,
    /// How many entries.
    pub entries: u64,
}

/// An entry that is kept whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notable {
    /// Its index in the log.
    pub index: u64,
    /// Its bytes.
    pub entry: Vec<u8>,
}

/// The records of each part in which there are any, by the part's place among [`Part`]s.
pub type PartBitmaps = Vec<(u16, RoaringBitmap)>;

/// Chooses what to read of an index.
pub type Wanted<'a> = &'a (dyn Fn(&IndexKey) -> bool + Sync);

/// How finely to read an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Nothing but what does not depend on who.
    Head,
    /// One bitmap for all of the segment.
    Whole,
    /// One a part.
    Parts,
}

impl Detail {
    /// The same for one who must know each part.
    #[must_use]
    pub const fn by_part(self) -> Self {
        match self {
            Self::Whole => Self::Parts,
            other => other,
        }
    }
}

/// Chooses how finely, by the parts that there are.
pub type Fineness<'a> = &'a (dyn Fn(&[Part]) -> Detail + Sync);

/// The index of one segment, or what was wanted of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SegmentIndex {
    /// Its hours.
    pub parts: Vec<Part>,
    /// What is kept whole.
    pub notable: Vec<Notable>,
    /// Everything that it has bitmaps for.
    pub keys: Vec<IndexKey>,
    /// The bitmaps that were wanted, part by part.
    pub bitmaps: BTreeMap<IndexKey, PartBitmaps>,
    /// The same for all of the segment, where that was wanted.
    pub whole: BTreeMap<IndexKey, RoaringBitmap>,
}
