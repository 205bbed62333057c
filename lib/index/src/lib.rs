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

/// The kind of access that a bitmap stands for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct IndexKey {
    /// The caller on whose behalf the records were touched.
    pub caller: CallerName,
    /// The compartment that asked on the caller's behalf.
    pub via: CallerName,
    /// The operation on the records.
    pub operation: Operation,
    /// The field touched; `None` if the operation names none.
    pub field: Option<Field>,
}

/// A run of entries within one hour. The hour is that of the latest instant so far, so that a clock
/// that is set back begins no new part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The earliest instant of an entry, in milliseconds since 1970.
    pub first_ms: i64,
    /// The latest instant of an entry, in milliseconds since 1970.
    pub last_ms: i64,
    /// The furthest that an entry lies before the latest instant so far, in milliseconds.
    pub back_ms: i64,
    /// The offset of the first entry in the segment, in bytes.
    pub start: u64,
    /// The offset behind the last entry in the segment, in bytes.
    pub end: u64,
    /// The number of the first entry in the log.
    pub first: u64,
    /// The number of entries.
    pub entries: u64,
}

/// An entry that the index keeps whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notable {
    /// The number of the entry in the log.
    pub index: u64,
    /// The encoded entry.
    pub entry: Vec<u8>,
}

/// One bitmap for each part with at least one record. The number is the part's place in
/// [`SegmentIndex::parts`].
pub type PartBitmaps = Vec<(u16, RoaringBitmap)>;

/// Chooses the keys whose bitmaps are read.
pub type Wanted<'a> = &'a (dyn Fn(&IndexKey) -> bool + Sync);

/// The bitmaps to read of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// No bitmaps: only parts, notable entries and keys.
    Head,
    /// One bitmap per key for the whole segment.
    Whole,
    /// One bitmap per key and part.
    Parts,
}

impl Detail {
    /// The detail for a reader that needs each part: [`Detail::Whole`] becomes [`Detail::Parts`].
    #[must_use]
    pub const fn by_part(self) -> Self {
        match self {
            Self::Whole => Self::Parts,
            other => other,
        }
    }
}

/// Chooses the detail from the parts of the segment.
pub type Fineness<'a> = &'a (dyn Fn(&[Part]) -> Detail + Sync);

/// The index of one segment, with the bitmaps that its reader wanted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SegmentIndex {
    /// The parts, in the order of the log.
    pub parts: Vec<Part>,
    /// The entries that the index keeps whole, in the order of the log.
    pub notable: Vec<Notable>,
    /// Every key of the segment, including those whose bitmaps were not wanted.
    pub keys: Vec<IndexKey>,
    /// The wanted bitmaps by part; filled at [`Detail::Parts`].
    pub bitmaps: BTreeMap<IndexKey, PartBitmaps>,
    /// The wanted bitmaps of the whole segment; filled at [`Detail::Whole`].
    pub whole: BTreeMap<IndexKey, RoaringBitmap>,
}
