//! Frames in an `entries` file: length (4 bytes, little endian), CRC-32 of the entry (4 bytes),
//! entry.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::{MAX_ENTRY, TlogError};

/// The length of a frame's head, in bytes.
const HEAD: usize = 8;

/// Appends the frame of an entry to `out`.
pub fn push(out: &mut Vec<u8>, entry: &[u8]) {
    let length = u32::try_from(entry.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&crc32fast::hash(entry).to_le_bytes());
    out.extend_from_slice(entry);
}

/// The length of the frame of an entry, in bytes.
#[must_use]
pub const fn framed(entry_len: usize) -> u64 {
    (HEAD + entry_len) as u64
}

/// The next frame of a file. `T` holds its entry.
pub enum NextFrame<T = Vec<u8>> {
    /// A whole frame.
    Entry(T),
    /// The end of the file, behind a whole frame.
    End,
    /// Bytes that make no whole frame.
    Bad,
}

/// Reads the next frame.
pub fn read(reader: &mut impl Read) -> io::Result<NextFrame> {
    let mut entry = Vec::new();
    Ok(match read_into(reader, &mut entry)? {
        NextFrame::Entry(()) => NextFrame::Entry(entry),
        NextFrame::End => NextFrame::End,
        NextFrame::Bad => NextFrame::Bad,
    })
}

/// Reads the next frame and replaces the content of `entry` with its entry.
fn read_into(reader: &mut impl Read, entry: &mut Vec<u8>) -> io::Result<NextFrame<()>> {
    let mut head = [0; HEAD];
    match fill(reader, &mut head)? {
        0 => return Ok(NextFrame::End),
        HEAD => {}
        _ => return Ok(NextFrame::Bad),
    }
    let [l0, l1, l2, l3, c0, c1, c2, c3] = head;
    let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
    // A file system may leave a run of zeros after a crash. No entry is empty, so a length of zero
    // is never a frame.
    if length == 0 || length > MAX_ENTRY {
        return Ok(NextFrame::Bad);
    }
    entry.resize(length, 0);
    if fill(reader, entry)? != length {
        return Ok(NextFrame::Bad);
    }
    let good = crc32fast::hash(entry) == u32::from_le_bytes([c0, c1, c2, c3]);
    Ok(if good { NextFrame::Entry(()) } else { NextFrame::Bad })
}

/// Reads until `out` is full or the reader ends, and returns the number of bytes read.
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

/// Whether a whole frame begins anywhere in `tail` after its first byte.
#[must_use]
pub fn any_after(tail: &[u8]) -> bool {
    (1..tail.len()).any(|at| matches!(read(&mut &tail[at..]), Ok(NextFrame::Entry(_))))
}

/// A range of a file, from the start of one frame to the end of another.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    /// The offset of the first frame, in bytes.
    pub start: u64,
    /// The offset behind the last frame, in bytes.
    pub end: u64,
    /// The number of entries to skip from `start` on.
    pub skip: u64,
}

/// Reads up to `count` entries of a range. Reading stops after the entry that reaches `max_bytes`.
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
            NextFrame::Entry(_) if seen < skip => seen += 1,
            NextFrame::Entry(entry) => {
                bytes += entry.len();
                out.push(entry);
            }
            NextFrame::End => break,
            NextFrame::Bad => {
                return Err(TlogError::Damaged { path: path.to_owned(), offset: start });
            }
        }
    }
    Ok(out)
}

/// Visits every entry of a range.
pub fn scan_range(
    file: &File,
    path: &Path,
    range: Range,
    visit: &mut dyn FnMut(&[u8]) -> Result<(), TlogError>,
) -> Result<(), TlogError> {
    let Range { start, end, skip } = range;
    let damaged = || TlogError::Damaged { path: path.to_owned(), offset: start };
    // Without this check a shortened file would pass as one that ends here.
    if file.metadata().map_err(|e| TlogError::io(path, e))?.len() < end {
        return Err(damaged());
    }
    let mut reader = BufReader::with_capacity(1 << 20, Window { file, next: start, end });
    let (mut entry, mut seen) = (Vec::new(), 0);
    loop {
        match read_into(&mut reader, &mut entry).map_err(|e| TlogError::io(path, e))? {
            NextFrame::Entry(()) if seen < skip => seen += 1,
            NextFrame::Entry(()) => visit(&entry)?,
            NextFrame::End => return Ok(()),
            NextFrame::Bad => return Err(damaged()),
        }
    }
}

/// A range of a file as a reader. It leaves the file's cursor alone, because the writer of the log
/// uses the cursor at the same time.
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
    fn a_file_cut_at_a_frames_boundary_is_damaged() {
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
        file.set_len(whole).unwrap();
        assert!(matches!(count(), Err(TlogError::Damaged { .. })));
    }
}
