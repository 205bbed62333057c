//! Segments on a disk: what a log gives back after appends, cuts, archiving and restarts.
#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};

use cofferdam_tlog::{Day, Scanned, SegmentName, Segments, TlogError};
use tempfile::TempDir;

/// A log in a directory, with an archive beside it.
struct Log {
    root: TempDir,
    segments: Segments,
}

impl Log {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let segments = open(root.path()).unwrap();
        Self { root, segments }
    }

    /// A log with `count` entries on each of these days.
    fn of(days: &[(i32, u64)]) -> Self {
        let log = Self::new();
        let mut size = 0;
        for (day, count) in days {
            log.append(size, *day, *count);
            size += count;
        }
        log
    }

    /// Appends entries that tell their number.
    fn append(&self, size: u64, day: i32, count: u64) {
        let entries: Vec<_> = (size..size + count).map(entry).collect();
        let entries: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
        self.segments.append(size, Day(day), &entries).unwrap();
    }

    fn reopen(&mut self) {
        self.segments = open(self.root.path()).unwrap();
    }

    fn dir(&self) -> PathBuf {
        self.root.path().join("log")
    }

    fn archive(&self) -> PathBuf {
        self.root.path().join("archive")
    }

    fn path(&self, first: u64, day: i32) -> PathBuf {
        self.dir().join(SegmentName { first, day: Day(day) }.file("entries"))
    }

    /// The numbers that the entries of the whole log tell.
    fn numbers(&self) -> Vec<u64> {
        let mut numbers = Vec::new();
        let scanned = self.segments.scan::<TlogError>(0, &mut |number, bytes| {
            assert_eq!(bytes, entry(number));
            numbers.push(number);
            Ok(())
        });
        assert_eq!(scanned.unwrap(), Scanned { size: numbers.len() as u64, torn: 0 });
        numbers
    }

    /// The names of the segments, as first entry and day.
    fn names(&self) -> Vec<(u64, i32)> {
        self.segments.names().into_iter().map(|name| (name.first, name.day.0)).collect()
    }
}

fn open(root: &Path) -> Result<Segments, TlogError> {
    Segments::open(&root.join("log"), Some(&root.join("archive")))
}

fn entry(number: u64) -> Vec<u8> {
    format!("entry {number}").into_bytes()
}

fn files(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir).unwrap();
    let mut names: Vec<_> =
        names.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    names
}

#[test]
fn each_day_has_a_segment_and_a_clock_that_goes_back_stays_in_the_last() {
    let mut log = Log::of(&[(15_354, 2), (15_354, 1), (15_355, 2), (15_353, 1)]);
    assert_eq!(log.names(), [(0, 15_354), (3, 15_355)]);
    let expected = [
        "00000000000000000000.2012-01-15.entries".to_owned(),
        "00000000000000000003.2012-01-16.entries".to_owned(),
    ];
    assert_eq!(files(&log.dir()), expected);
    for name in ["x.2012-01-15.entries", "0.2012-01-15.entries", "notes.txt"] {
        fs::write(log.dir().join(name), "").unwrap();
    }
    fs::write(log.dir().join("00000000000000000003.2012-01-16.index"), "").unwrap();
    log.reopen();
    assert_eq!(log.names(), [(0, 15_354), (3, 15_355)]);
    assert_eq!(log.numbers(), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn a_scan_begins_with_a_segment_and_a_segment_alone_can_be_scanned() {
    let log = Log::of(&[(1, 2), (2, 3), (3, 1)]);
    let scan = |first| {
        let mut numbers = Vec::new();
        let scanned = log.segments.scan::<TlogError>(first, &mut |number, _| {
            numbers.push(number);
            Ok(())
        });
        (scanned.unwrap().size, numbers)
    };
    assert_eq!(scan(2), (6, vec![2, 3, 4, 5]));
    assert_eq!(scan(3), (6, vec![5]));
    assert_eq!(scan(9), (0, vec![]));
    let one = |first, day| {
        let mut numbers = Vec::new();
        let name = SegmentName { first, day: Day(day) };
        let scanned = log.segments.scan_segment(name, &mut |number, _| {
            numbers.push(number);
            Ok(())
        });
        scanned.map(|()| numbers)
    };
    assert_eq!(one(2, 2).unwrap(), [2, 3, 4]);
    assert!(one(2, 9).unwrap().is_empty(), "no such segment");
}

#[test]
fn a_part_of_a_segment_is_scanned_by_its_bytes() {
    let log = Log::of(&[(1, 3), (2, 3)]);
    // A frame of "entry N" has 15 bytes.
    let part = cofferdam_index::Part {
        first_ms: 0,
        last_ms: 0,
        back_ms: 0,
        start: 15,
        end: 45,
        first: 4,
        entries: 2,
    };
    let scan = |first, day| {
        let mut seen = Vec::new();
        let name = SegmentName { first, day: Day(day) };
        log.segments
            .scan_part(name, &part, &mut |bytes| {
                seen.push(bytes.to_vec());
                Ok(())
            })
            .unwrap();
        seen
    };
    assert_eq!(scan(3, 2), [entry(4), entry(5)]);
    assert!(scan(3, 9).is_empty());
}

#[test]
fn a_torn_end_is_measured_and_any_other_damage_is_an_error() {
    let log = Log::of(&[(1, 2), (2, 2)]);
    let append = |path: PathBuf, bytes: &[u8]| {
        let whole = fs::read(&path).unwrap();
        fs::write(&path, [whole.as_slice(), bytes].concat()).unwrap();
    };
    let scan = || {
        let segments = open(log.root.path()).unwrap();
        segments.scan::<TlogError>(0, &mut |_, _| Ok(()))
    };
    append(log.path(2, 2), b"torn!");
    assert_eq!(scan().unwrap(), Scanned { size: 4, torn: 5 });
    let name = SegmentName { first: 2, day: Day(2) };
    assert!(log.segments.scan_segment(name, &mut |_, _| Ok(())).is_err());
    log.segments.truncate(4).unwrap();
    assert_eq!(scan().unwrap(), Scanned { size: 4, torn: 0 });

    append(log.path(0, 1), b"torn!");
    assert!(matches!(scan(), Err(TlogError::Damaged { .. })), "not the newest segment");

    let log = Log::of(&[(1, 3)]);
    let mut bytes = fs::read(log.path(0, 1)).unwrap();
    bytes[20] ^= 1;
    fs::write(log.path(0, 1), bytes).unwrap();
    let scanned = log.segments.scan::<TlogError>(0, &mut |_, _| Ok(()));
    assert!(matches!(scanned, Err(TlogError::Damaged { offset: 15, .. })), "{scanned:?}");
}

#[test]
fn a_missing_segment_is_a_gap() {
    let mut log = Log::of(&[(1, 2), (2, 2), (3, 2)]);
    fs::remove_file(log.path(2, 2)).unwrap();
    log.reopen();
    let scanned = log.segments.scan::<TlogError>(0, &mut |_, _| Ok(()));
    assert!(scanned.unwrap_err().to_string().contains("entries 2 to 4 before"));
    assert!(log.segments.scan::<TlogError>(4, &mut |_, _| Ok(())).is_ok());
}

#[test]
fn entries_are_read_across_segments_up_to_a_limit() {
    let mut log = Log::of(&[(1, 300), (2, 600), (3, 1)]);
    for _ in 0..2 {
        let read = |from, upto, limit| {
            let entries = log.segments.read(from, upto, limit).unwrap();
            let numbers = from..from + entries.len() as u64;
            assert_eq!(entries, numbers.map(entry).collect::<Vec<_>>(), "{from}");
            entries.len()
        };
        assert_eq!(read(0, 901, 2_000), 901);
        assert_eq!(read(299, 901, 2), 2);
        assert_eq!(read(255, 901, 3), 3);
        assert_eq!(read(600, 901, 1), 1);
        assert_eq!(read(850, 860, 99), 10);
        assert_eq!(read(900, 901, 99), 1);
        assert_eq!(read(900, 900, 99), 0);
        assert_eq!(read(901, 999, 99), 0, "there are no more");
        // A log that was just opened measures its segments when they are read.
        log.reopen();
    }
}

#[test]
fn an_answer_ends_with_the_entry_that_reaches_four_mebibytes() {
    let log = Log::new();
    let big = vec![b'x'; 65_000];
    for (size, day) in [(0, 1), (40, 2)] {
        log.segments.append(size, Day(day), &[big.as_slice(); 40]).unwrap();
    }
    assert_eq!(log.segments.read(0, 80, 99).unwrap().len(), 65);
    assert_eq!(log.segments.read(15, 80, 99).unwrap().len(), 65);
}

#[test]
fn a_log_is_cut_to_any_size_and_goes_on() {
    for measured in [true, false] {
        for size in [1, 255, 256, 257, 299, 300, 301, 599, 600, 602] {
            let mut log = Log::of(&[(1, 300), (2, 300), (3, 2)]);
            if !measured {
                log.reopen();
            }
            log.segments.truncate(size).unwrap();
            assert_eq!(log.segments.read(0, 999, 999).unwrap().len() as u64, size, "{size}");
            log.append(size, 3, 300);
            let last = log.segments.read(size + 290, size + 300, 99).unwrap();
            assert_eq!(last, (size + 290..size + 300).map(entry).collect::<Vec<_>>(), "{size}");
            log.reopen();
            assert_eq!(log.numbers(), (0..size + 300).collect::<Vec<_>>(), "{size}");
        }
    }
    let log = Log::of(&[(1, 2)]);
    log.segments.truncate(0).unwrap();
    assert_eq!((log.names(), log.numbers()), (vec![], vec![]));
}

#[test]
fn closed_segments_of_earlier_days_move_to_the_archive_and_stay_readable() {
    let mut log = Log::of(&[(1, 2), (2, 2), (3, 2)]);
    assert_eq!(log.segments.archive_before(Day(1)).unwrap(), 0);
    assert_eq!(log.segments.archive_before(Day(2)).unwrap(), 1);
    assert_eq!((files(&log.dir()).len(), files(&log.archive()).len()), (2, 1));
    assert_eq!(log.segments.archive_before(Day(99)).unwrap(), 1, "the newest stays");
    assert_eq!(log.segments.archive_before(Day(99)).unwrap(), 0, "nothing moves twice");
    assert_eq!((files(&log.dir()).len(), files(&log.archive()).len()), (1, 2));
    for _ in 0..2 {
        let name = SegmentName { first: 0, day: Day(1) };
        let mut count = 0;
        log.segments
            .scan_segment(name, &mut |_, _| {
                count += 1;
                Ok(())
            })
            .unwrap();
        assert_eq!(count, 2);
        assert_eq!(log.numbers(), [0, 1, 2, 3, 4, 5]);
        log.reopen();
    }
    let alone = tempfile::tempdir().unwrap();
    let segments = Segments::open(alone.path(), None).unwrap();
    segments.append(0, Day(1), &[b"a"]).unwrap();
    segments.append(1, Day(2), &[b"b"]).unwrap();
    assert_eq!(segments.archive_before(Day(9)).unwrap(), 0);
}

#[test]
fn what_an_interrupted_archiving_or_creation_left_is_removed() {
    let mut log = Log::of(&[(1, 2), (2, 2), (3, 2), (4, 2)]);
    for (first, day) in [(0, 1), (4, 3)] {
        let here = log.path(first, day);
        fs::copy(&here, log.archive().join(here.file_name().unwrap())).unwrap();
    }
    fs::write(log.path(8, 5), "").unwrap();
    log.reopen();
    assert_eq!(log.names(), [(0, 1), (2, 2), (4, 3), (6, 4)]);
    assert_eq!((files(&log.dir()).len(), files(&log.archive()).len()), (2, 2));
    assert_eq!(log.numbers().len(), 8);
}

#[test]
fn two_segments_that_begin_with_the_same_entry_and_differ_are_an_error() {
    let log = Log::of(&[(1, 2), (2, 2)]);
    let here = log.path(0, 1);
    let there = log.archive().join(here.file_name().unwrap());
    for bytes in [fs::read(log.path(2, 2)).unwrap(), fs::read(&here).unwrap()[..15].to_vec()] {
        fs::write(&there, bytes).unwrap();
        let error = open(log.root.path()).unwrap_err().to_string();
        assert!(error.contains("begin with the same entry"), "{error}");
    }
    fs::remove_file(&there).unwrap();
    fs::write(log.path(0, 2), b"x").unwrap();
    assert!(open(log.root.path()).is_err(), "of another day");
}
