//! Frames in an `entries` file: length (4 bytes, little endian), CRC-32 of the entry (4 bytes),
//! entry.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::{MAX_ENTRY, TlogError};

const HEAD: usize = 8;
/// Appends a frame to `out`.
pub fn push(out: &mut Vec<u8>, entry: &[u8]) {
    let length = u32::try_from(entry.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&crc32fast::hash(entry).to_le_bytes());
    out.extend_from_slice(entry);
}

/// How many bytes the frame of an entry takes.
#[must_use]
pub const fn framed(entry_len: usize) -> u64 {
    (HEAD + entry_len) as u64
}

/// What stands at one place.
pub enum Read1 {
    /// A whole entry.
    Entry(Vec<u8>),
    /// The end, at a frame's boundary.
    End,
    /// Something that is no whole frame.
    Bad,
}

/// Reads the next frame.
pub fn read(reader: &mut impl Read) -> io::Result<Read1> {
    let mut entry = Vec::new();
    Ok(match read_into(reader, &mut entry)? {
        Found::Entry => Read1::Entry(entry),
        Found::End => Read1::End,
        Found::Bad => Read1::Bad,
    })
}

/// What was found at one place.
enum Found {
    Entry,
    End,
    Bad,
}

/// Reads the next frame's entry in place of what `entry` holds.
fn read_into(reader: &mut impl Read, entry: &mut Vec<u8>) -> io::Result<Found> {
    let mut head = [0; HEAD];
    match fill(reader, &mut head)? {
        0 => return Ok(Found::End),
        HEAD => {}
        _ => return Ok(Found::Bad),
    }
    let [l0, l1, l2, l3, c0, c1, c2, c3] = head;
    let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
    // No entry is empty: a run of zeros, as a file system leaves after a crash, is no frame.
    if length == 0 || length > MAX_ENTRY {
        return Ok(Found::Bad);
    }
    entry.resize(length, 0);
    if fill(reader, entry)? != length {
        return Ok(Found::Bad);
    }
    let good = crc32fast::hash(entry) == u32::from_le_bytes([c0, c1, c2, c3]);
    Ok(if good { Found::Entry } else { Found::Bad })
}

/// Reads as much of `out` as there is.
fn fill(reader: &mut impl Read, out: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < out.len() {
        match reader.read(&mut out[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}

/// Whether a good frame begins anywhere in `tail` after its first byte.
#[must_use]
pub fn any_after(tail: &[u8]) -> bool {
    (1..tail.len()).any(|at| matches!(read(&mut &tail[at..]), Ok(Read1::Entry(_))))
}

/// A part of a file, in bytes, and how many entries of it to pass over.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    /// Where an entry begins.
    pub start: u64,
    /// Where the last one ends.
    pub end: u64,
    /// So many entries are not wanted.
    pub skip: u64,
}

/// Reads up to `count` entries, and about `max_bytes`, of a part of a file.
pub fn read_range(
    file: &File,
    path: &Path,
    range: Range,
    count: u64,
    max_bytes: usize,
) -> Result<Vec<Vec<u8>>, TlogError> {
    let Range { start, end, skip } = range;
    let mut reader = BufReader::with_capacity(256 << 10, Window { file, next: start, end });
    let mut out = Vec::new();
    let (mut seen, mut bytes) = (0, 0);
    while (out.len() as u64) < count && bytes < max_bytes {
        match read(&mut reader).map_err(|e| TlogError::io(path, e))? {
            Read1::Entry(_) if seen < skip => seen += 1,
            Read1::Entry(entry) => {
                bytes += entry.len();
                out.push(entry);
            }
            Read1::End => break,
            Read1::Bad => return Err(TlogError::Damaged { path: path.to_owned(), offset: start }),
        }
    }
    Ok(out)
}

/// Shows every entry of a part of a file.
pub fn scan_range(
    file: &File,
    path: &Path,
    range: Range,
    visit: &mut dyn FnMut(&[u8]) -> Result<(), TlogError>,
) -> Result<(), TlogError> {
    let Range { start, end, skip } = range;
    let damaged = || TlogError::Damaged { path: path.to_owned(), offset: start };
    // A file that is shorter than the index knew it would end quietly.
    if file.metadata().map_err(|e| TlogError::io(path, e))?.len() < end {
        return Err(damaged());
    }
    let mut reader = BufReader::with_capacity(1 << 20, Window { file, next: start, end });
    let (mut entry, mut seen) = (Vec::new(), 0);
    loop {
        match read_into(&mut reader, &mut entry).map_err(|e| TlogError::io(path, e))? {
            Found::Entry if seen < skip => seen += 1,
            Found::Entry => visit(&entry)?,
            Found::End => return Ok(()),
            Found::Bad => return Err(damaged()),
        }
    }
}

/// Reads a file from a place without moving its cursor, which the writer uses.
struct Window<'a> {
    file: &'a File,
    next: u64,
    end: u64,
}

impl Read for Window<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.next).unwrap_or(usize::MAX).min(out.len());
        let n = self.file.read_at(&mut out[..left], self.next)?;
        self.next += n as u64;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_shorter_than_was_known_is_damaged() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("entries");
        let mut bytes = Vec::new();
        push(&mut bytes, b"one");
        let whole = bytes.len() as u64;
        push(&mut bytes, b"two");
        let range = Range { start: 0, end: bytes.len() as u64, skip: 0 };
        std::fs::write(&path, &bytes).unwrap();
        let file = File::options().read(true).write(true).open(&path).unwrap();
        let count = || {
            let mut count = 0;
            scan_range(&file, &path, range, &mut |_| {
                count += 1;
                Ok(())
            })
            .map(|()| count)
        };
        assert_eq!(count().unwrap(), 2);
        // Cut at a frame's boundary, where no frame is torn.
        file.set_len(whole).unwrap();
        assert!(matches!(count(), Err(TlogError::Damaged { .. })));
    }
}
