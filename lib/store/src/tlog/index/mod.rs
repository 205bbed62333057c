//! The index beside a segment: for each caller, compartment, operation and field one Roaring
//! bitmap of the records an hour. It is derived from the segment alone, and can be made again at
//! any time.

mod build;
mod file;

use std::collections::BTreeMap;
use std::path::Path;

use cofferdam_core::{CallerName, Field, Glancer, Operation};
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

pub use build::IndexBuilder;

use super::{SegmentName, Segments, TlogError};

/// The end of an index's file name.
const END: &str = "index";

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

impl SegmentIndex {
    /// Reads a segment and makes its index. `glance` reads an entry.
    pub fn build(
        segments: &Segments,
        name: SegmentName,
        glance: Glancer,
    ) -> Result<Self, TlogError> {
        let mut builder = IndexBuilder::new(name.first, glance);
        segments.scan_one(name, &mut |_, entry| builder.add(&entry))?;
        Ok(builder.index(&|_| true))
    }

    /// What is wanted of the index beside a segment; made from the segment where there is none.
    pub fn read(
        segments: &Segments,
        dir: &Path,
        name: SegmentName,
        wanted: Wanted<'_>,
        detail: Fineness<'_>,
        glance: Glancer,
    ) -> Result<Self, TlogError> {
        if let Some(index) = Self::load(dir, name, wanted, detail) {
            return Ok(index);
        }
        let mut index = Self::build(segments, name, glance)?;
        index.bitmaps.retain(|key, _| wanted(key));
        Ok(index)
    }

    /// Makes the indexes of closed segments that have none; how many. The last segment of a log
    /// that is `whole` is closed, too. `Segments` must have been opened on `dir`.
    pub fn catch_up(
        segments: &Segments,
        dir: &Path,
        whole: bool,
        glance: Glancer,
    ) -> Result<usize, TlogError> {
        let names = segments.names();
        let closed = &names[..names.len().saturating_sub(usize::from(!whole))];
        let mut made = 0;
        for name in closed.iter().filter(|name| !dir.join(name.file(END)).exists()) {
            Self::build(segments, *name, glance)?.save(dir, *name)?;
            made += 1;
        }
        Ok(made)
    }
}
