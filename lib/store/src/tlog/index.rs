//! The index beside a segment: for each caller, compartment, operation and field one Roaring
//! bitmap of the records. It is derived from the segment alone, and can be made again at any
//! time.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use cofferdam_core::{CallerName, Field, Operation, Touch};
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

use super::{SegmentName, Segments, TlogError, replace_file};

/// The end of an index's file name.
const END: &str = "index";
const MAGIC: &[u8] = b"cofferdam index v1\n";

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

/// Reads an entry and says what it touched.
pub type Touched = fn(&[u8], &mut dyn FnMut(&Touch<'_>));

/// The index of one segment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SegmentIndex {
    bitmaps: BTreeMap<IndexKey, RoaringBitmap>,
}

impl SegmentIndex {
    /// Adds what an entry touched.
    pub fn add(&mut self, touch: &Touch<'_>) {
        let fields = touch.fields.iter().map(Some);
        let none = touch.fields.is_empty().then_some(None);
        for field in fields.chain(none) {
            let key = IndexKey {
                caller: touch.caller.clone(),
                via: touch.via.clone(),
                operation: touch.operation,
                field,
            };
            let bitmap = self.bitmaps.entry(key).or_default();
            bitmap.extend(touch.records.iter().map(|record| record.0));
        }
    }

    /// Every bitmap.
    pub fn iter(&self) -> impl Iterator<Item = (&IndexKey, &RoaringBitmap)> {
        self.bitmaps.iter()
    }

    /// Reads a segment and makes its index. `touched` reads an entry.
    pub fn build(
        segments: &Segments,
        name: SegmentName,
        touched: Touched,
    ) -> Result<Self, TlogError> {
        let mut index = Self::default();
        segments.scan_one(name, &mut |_, entry| {
            touched(&entry, &mut |touch| index.add(touch));
            Ok(())
        })?;
        Ok(index)
    }

    /// Writes the index beside its segment.
    pub fn save(&self, dir: &Path, name: SegmentName) -> Result<(), TlogError> {
        let file = name.file(END);
        let hashes = |what: String| TlogError::Hashes { path: dir.join(&file), what };
        let mut rows = Vec::with_capacity(self.bitmaps.len());
        for (key, bitmap) in &self.bitmaps {
            let mut bits = Vec::with_capacity(bitmap.serialized_size());
            bitmap.serialize_into(&mut bits).map_err(|e| hashes(e.to_string()))?;
            rows.push((key, bits));
        }
        let mut out = MAGIC.to_vec();
        out.extend(postcard::to_stdvec(&rows).map_err(|e| hashes(e.to_string()))?);
        let checksum = crc32fast::hash(&out);
        out.extend_from_slice(&checksum.to_le_bytes());
        replace_file(dir, &file, &out)
    }

    /// Reads the index beside a segment; `None` when there is none, or it is damaged: make it
    /// again.
    #[must_use]
    pub fn load(dir: &Path, name: SegmentName) -> Option<Self> {
        let bytes = fs::read(dir.join(name.file(END))).ok()?;
        let (body, checksum) = bytes.split_last_chunk::<4>()?;
        if crc32fast::hash(body) != u32::from_le_bytes(*checksum) {
            return None;
        }
        let rows: Vec<(IndexKey, Vec<u8>)> =
            postcard::from_bytes(body.strip_prefix(MAGIC)?).ok()?;
        let read = |(key, bits): (IndexKey, Vec<u8>)| {
            Some((key, RoaringBitmap::deserialize_from(bits.as_slice()).ok()?))
        };
        Some(Self { bitmaps: rows.into_iter().map(read).collect::<Option<_>>()? })
    }

    /// Makes the indexes of closed segments that have none; how many. `Segments` must have been
    /// opened on `dir`.
    pub fn catch_up(segments: &Segments, dir: &Path, touched: Touched) -> Result<usize, TlogError> {
        let names = segments.names();
        let closed = &names[..names.len().saturating_sub(1)];
        let mut made = 0;
        for name in closed.iter().filter(|name| !dir.join(name.file(END)).exists()) {
            Self::build(segments, *name, touched)?.save(dir, *name)?;
            made += 1;
        }
        Ok(made)
    }
}
