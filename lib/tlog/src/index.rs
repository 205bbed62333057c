//! The index files beside the segments. A file has a head, which gives the place of every bitmap,
//! and one piece per key with the bitmaps of that key, so that a scope reads only the keys it
//! needs.
//!
//! Layout: magic, length of the head (4 bytes, little endian), CRC-32 of the head, the head
//! (postcard), then the pieces.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::FileExt;
use std::path::Path;

use cofferdam_core::SummarizeEntry;
use cofferdam_index::{
    Detail, Fineness, IndexBuilder, IndexKey, Notable, Part, PartBitmaps, SegmentIndex, Wanted,
};
use roaring::{MultiOps as _, RoaringBitmap};
use serde::{Deserialize, Serialize};

use crate::frames::framed;
use crate::{SegmentName, Segments, TlogError, replace_file};

const EXTENSION: &str = "index";

const MAGIC: &[u8; 20] = b"cofferdam index v3\n\0";
/// The largest head that is read, in bytes. A larger length means that the file is damaged.
const MAX_HEAD: u32 = 256 << 20;

#[derive(Serialize, Deserialize)]
struct Head {
    parts: Vec<Part>,
    notable: Vec<Notable>,
    pieces: Vec<Piece>,
}

/// The place of the bitmaps of one key: first the bitmap of the whole segment, then those of the
/// parts.
#[derive(Serialize, Deserialize)]
struct Piece {
    key: IndexKey,
    /// The offset of the piece from the end of the head, in bytes.
    offset: u64,
    /// The length in bytes and the CRC-32 of the bitmap of the whole segment.
    whole: (u32, u32),
    /// The CRC-32 over all bitmaps of parts.
    checksum: u32,
    /// The number of each part that has a bitmap, and the bitmap's length in bytes.
    bitmaps: Vec<(u16, u32)>,
}

/// Builds the index of a segment from its entries, which `summarize` decodes.
pub fn build(
    segments: &Segments,
    name: SegmentName,
    summarize: SummarizeEntry,
) -> Result<SegmentIndex, TlogError> {
    let mut builder = IndexBuilder::new(name.first, summarize);
    segments.scan_segment(name, &mut |_, entry| Ok(builder.add(&entry, framed(entry.len()))?))?;
    Ok(builder.index(&|_| true))
}

/// Reads the `wanted` bitmaps of a segment's index. If the index file is missing or damaged, the
/// index is built from the segment.
pub fn read(
    segments: &Segments,
    dir: &Path,
    name: SegmentName,
    (wanted, detail): (Wanted<'_>, Fineness<'_>),
    summarize: SummarizeEntry,
) -> Result<SegmentIndex, TlogError> {
    if let Some(index) = load(dir, name, wanted, detail) {
        return Ok(index);
    }
    let mut index = build(segments, name, summarize)?;
    index.bitmaps.retain(|key, _| wanted(key));
    Ok(index)
}

/// Builds the missing index files of closed segments and returns their number. With `whole`, the
/// last segment counts as closed too. `segments` must have been opened on `dir`.
pub fn catch_up(
    segments: &Segments,
    dir: &Path,
    whole: bool,
    summarize: SummarizeEntry,
) -> Result<usize, TlogError> {
    let names = segments.names();
    let closed = &names[..names.len().saturating_sub(usize::from(!whole))];
    let mut built = 0;
    for name in closed.iter().filter(|name| !dir.join(name.file(EXTENSION)).exists()) {
        save(&build(segments, *name, summarize)?, dir, *name)?;
        built += 1;
    }
    Ok(built)
}

/// Writes the index file beside a segment.
pub fn save(index: &SegmentIndex, dir: &Path, name: SegmentName) -> Result<(), TlogError> {
    let file = name.file(EXTENSION);
    let failed = |what: String| TlogError::Hashes { path: dir.join(&file), what };
    let (mut pieces, mut body) = (Vec::with_capacity(index.bitmaps.len()), Vec::new());
    for (key, parts) in &index.bitmaps {
        let offset = body.len();
        let all = parts.iter().map(|(_, records)| records).union();
        all.serialize_into(&mut body).map_err(|e| failed(e.to_string()))?;
        let start = body.len();
        let length = u32::try_from(start - offset).unwrap_or(u32::MAX);
        let whole = (length, crc32fast::hash(&body[offset..]));
        let mut bitmaps = Vec::with_capacity(parts.len());
        for (part, records) in parts {
            let before = body.len();
            records.serialize_into(&mut body).map_err(|e| failed(e.to_string()))?;
            bitmaps.push((*part, u32::try_from(body.len() - before).unwrap_or(u32::MAX)));
        }
        let checksum = crc32fast::hash(&body[start..]);
        let (key, offset) = (key.clone(), offset as u64);
        pieces.push(Piece { key, offset, whole, checksum, bitmaps });
    }
    let (parts, notable) = (index.parts.clone(), index.notable.clone());
    let head = postcard::to_stdvec(&Head { parts, notable, pieces });
    let head = head.map_err(|e| failed(e.to_string()))?;
    let length = u32::try_from(head.len()).map_err(|e| failed(e.to_string()))?;
    let mut out = MAGIC.to_vec();
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&crc32fast::hash(&head).to_le_bytes());
    out.extend_from_slice(&head);
    out.append(&mut body);
    replace_file(dir, &file, &out)
}

/// Reads the `wanted` bitmaps from the index file beside a segment. Returns `None` if the file is
/// missing or damaged; the caller then builds the index again.
#[must_use]
pub fn load(
    dir: &Path,
    name: SegmentName,
    wanted: Wanted<'_>,
    detail: Fineness<'_>,
) -> Option<SegmentIndex> {
    let mut file = File::open(dir.join(name.file(EXTENSION))).ok()?;
    let mut start = [0; MAGIC.len() + 8];
    file.read_exact(&mut start).ok()?;
    let (magic, lengths) = start.split_first_chunk::<{ MAGIC.len() }>()?;
    let (length, checksum) = lengths.split_first_chunk::<4>()?;
    let length = u32::from_le_bytes(*length);
    if magic != MAGIC || length > MAX_HEAD {
        return None;
    }
    let mut head = vec![0; length as usize];
    file.read_exact(&mut head).ok()?;
    if crc32fast::hash(&head).to_le_bytes() != checksum {
        return None;
    }
    let Head { parts, notable, pieces } = postcard::from_bytes(&head).ok()?;
    let body = (start.len() + head.len()) as u64;
    let mut index = SegmentIndex { parts, notable, ..SegmentIndex::default() };
    let detail = detail(&index.parts);
    for piece in pieces {
        if wanted(&piece.key) {
            let key = piece.key.clone();
            match detail {
                Detail::Head => {}
                Detail::Whole => {
                    index.whole.insert(key, piece.read_whole(&file, body)?);
                }
                Detail::Parts => {
                    let bitmaps = piece.read_parts(&file, body, index.parts.len())?;
                    index.bitmaps.insert(key, bitmaps);
                }
            }
        }
        index.keys.push(piece.key);
    }
    Some(index)
}

impl Piece {
    fn read_whole(&self, file: &File, body: u64) -> Option<RoaringBitmap> {
        let (length, checksum) = self.whole;
        let bytes = read_at(file, body.checked_add(self.offset)?, length.into(), checksum)?;
        // The checksum matched, so the bytes need no second check.
        RoaringBitmap::deserialize_unchecked_from(bytes.as_slice()).ok()
    }

    fn read_parts(&self, file: &File, body: u64, parts: usize) -> Option<PartBitmaps> {
        let length: u64 = self.bitmaps.iter().map(|(_, length)| u64::from(*length)).sum();
        let at = body.checked_add(self.offset)?.checked_add(self.whole.0.into())?;
        let bytes = read_at(file, at, length, self.checksum)?;
        let mut rest = bytes.as_slice();
        let mut bitmaps = Vec::with_capacity(self.bitmaps.len());
        for (part, length) in &self.bitmaps {
            let (bitmap, after) = rest.split_at_checked(*length as usize)?;
            rest = after;
            if usize::from(*part) >= parts {
                return None;
            }
            let records = RoaringBitmap::deserialize_unchecked_from(bitmap).ok()?;
            bitmaps.push((*part, records));
        }
        Some(bitmaps)
    }
}

/// Reads `length` bytes at offset `at`. Returns `None` if they are missing or don't match
/// `checksum`.
fn read_at(file: &File, at: u64, length: u64, checksum: u32) -> Option<Vec<u8>> {
    if at.checked_add(length)? > file.metadata().ok()?.len() {
        return None;
    }
    let mut bytes = vec![0; usize::try_from(length).ok()?];
    file.read_exact_at(&mut bytes, at).ok()?;
    (crc32fast::hash(&bytes) == checksum).then_some(bytes)
}
