//! Frames: what is read back, and what counts as damage.
#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use cofferdam_tlog::frames::{
    NextFrame, Range, any_after, framed, push, read, read_range, scan_range,
};
use cofferdam_tlog::{MAX_ENTRY, TlogError};
use tempfile::TempDir;

fn frame(entry: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    push(&mut out, entry);
    out
}

/// `None` for the end, an empty entry for bytes that make no frame.
fn first(mut bytes: &[u8]) -> Option<Vec<u8>> {
    shown(read(&mut bytes).unwrap())
}

fn shown(frame: NextFrame) -> Option<Vec<u8>> {
    match frame {
        NextFrame::Entry(entry) => Some(entry),
        NextFrame::Bad => Some(Vec::new()),
        NextFrame::End => None,
    }
}

#[test]
fn a_frame_is_length_checksum_and_entry() {
    // The CRC-32 of "abc" is 0x352441c2.
    assert_eq!(frame(b"abc"), b"\x03\0\0\0\xc2\x41\x24\x35abc");
    assert_eq!((framed(3), framed(0)), (11, 8));
}

#[test]
fn only_whole_frames_of_entries_are_read() {
    let whole = frame(b"abc");
    assert_eq!(first(&whole).unwrap(), b"abc");
    assert_eq!(first(&[whole.as_slice(), b"rest"].concat()).unwrap(), b"abc");
    assert_eq!(first(&[]), None);
    for cut in 1..whole.len() {
        assert_eq!(first(&whole[..cut]), Some(Vec::new()), "{cut}");
    }
    for place in 0..whole.len() {
        let mut changed = whole.clone();
        changed[place] ^= 1;
        assert_eq!(first(&changed), Some(Vec::new()), "{place}");
    }
    assert_eq!(first(&[0; 64]), Some(Vec::new()), "zeros that a crash left");
    let largest = vec![b'x'; MAX_ENTRY];
    assert_eq!(first(&frame(&largest)).unwrap(), largest);
    assert_eq!(first(&frame(&[largest.as_slice(), b"x"].concat())), Some(Vec::new()));
}

/// Gives one byte at a time, and is interrupted before each; then it fails.
struct Slow {
    bytes: Vec<u8>,
    interrupted: bool,
    fails: bool,
}

impl Read for Slow {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.interrupted = !self.interrupted;
        if self.interrupted {
            return Err(io::ErrorKind::Interrupted.into());
        }
        if self.bytes.is_empty() {
            return if self.fails { Err(io::ErrorKind::PermissionDenied.into()) } else { Ok(0) };
        }
        out[0] = self.bytes.remove(0);
        Ok(1)
    }
}

#[test]
fn a_slow_reader_is_read_to_the_end_and_an_error_is_told() {
    for fails in [false, true] {
        let mut slow = Slow { bytes: frame(b"abc"), interrupted: false, fails };
        assert_eq!(shown(read(&mut slow).unwrap()).unwrap(), b"abc");
        assert_eq!(read(&mut slow).map(shown).ok(), if fails { None } else { Some(None) });
    }
}

#[test]
fn a_frame_after_damage_is_found_wherever_it_begins() {
    assert!(any_after(&[b"x".as_slice(), &frame(b"abc")].concat()));
    assert!(any_after(&[b"damaged".as_slice(), &frame(b"abc"), b"torn"].concat()));
    assert!(!any_after(&frame(b"abc")), "it begins with the first byte");
    assert!(!any_after(b"torn") && !any_after(b""));
}

/// A file with the entries `e0` to `e4`, and more bytes behind.
fn file() -> (TempDir, PathBuf, File) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("entries");
    let mut bytes: Vec<u8> = (0..5).flat_map(|n| frame(format!("e{n}").as_bytes())).collect();
    bytes.extend_from_slice(b"torn");
    std::fs::write(&path, bytes).unwrap();
    let file = File::open(&path).unwrap();
    (dir, path, file)
}

/// The frames from entry `from` up to entry `to`; each has ten bytes.
const fn range(from: u64, to: u64, skip: u64) -> Range {
    Range { start: from * 10, end: to * 10, skip }
}

#[test]
fn a_range_is_read_up_to_a_count_and_a_size() {
    let (_dir, path, file) = file();
    let read = |range, count, bytes| {
        let entries = read_range(&file, &path, range, count, bytes).unwrap();
        entries.into_iter().map(|e| String::from_utf8(e).unwrap()).collect::<Vec<_>>().join(" ")
    };
    for (range, count, bytes, expected) in [
        (range(0, 5, 0), 9, 99, "e0 e1 e2 e3 e4"),
        (range(1, 4, 0), 9, 99, "e1 e2 e3"),
        (range(0, 5, 2), 9, 99, "e2 e3 e4"),
        (range(0, 5, 2), 2, 99, "e2 e3"),
        (range(0, 5, 0), 9, 3, "e0 e1"),
        (range(0, 5, 0), 9, 4, "e0 e1"),
        (range(0, 5, 0), 9, 5, "e0 e1 e2"),
        (range(0, 5, 0), 0, 99, ""),
    ] {
        assert_eq!(read(range, count, bytes), expected, "{range:?} {count} {bytes}");
    }
    let beyond = Range { start: 0, end: 54, skip: 0 };
    let damaged = read_range(&file, &path, beyond, 9, 99);
    assert!(matches!(damaged, Err(TlogError::Damaged { offset: 0, .. })), "{damaged:?}");
}

#[test]
fn a_range_is_scanned_to_its_end_or_is_damaged() {
    let (_dir, path, file) = file();
    let scan = |range| {
        let mut seen = Vec::new();
        let scanned = scan_range(&file, &path, range, &mut |entry| {
            seen.push(String::from_utf8(entry.to_vec()).unwrap());
            Ok(())
        });
        scanned.map(|()| seen.join(" "))
    };
    assert_eq!(scan(range(0, 5, 0)).unwrap(), "e0 e1 e2 e3 e4");
    assert_eq!(scan(range(1, 3, 0)).unwrap(), "e1 e2");
    assert_eq!(scan(range(0, 5, 3)).unwrap(), "e3 e4");
    for end in [54, 55, 49] {
        let damaged = scan(Range { start: 10, end, skip: 0 });
        assert!(matches!(damaged, Err(TlogError::Damaged { offset: 10, .. })), "{end}");
    }
    file_of_whole_frames_is_not_damaged();
}

/// A range may end with the file.
fn file_of_whole_frames_is_not_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("entries");
    std::fs::write(&path, frame(b"e0")).unwrap();
    let file = File::open(&path).unwrap();
    let mut count = 0;
    let mut visit = |_: &[u8]| {
        count += 1;
        Ok(())
    };
    scan_range(&file, &path, range(0, 1, 0), &mut visit).unwrap();
    assert_eq!(count, 1);
}
