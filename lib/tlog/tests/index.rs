//! Index files: what is read of them, and when they are built anew.
#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::fs;
use std::path::PathBuf;

use cofferdam_core::{
    CallerName, EntrySummary, Field, FieldSet, Operation, Record, Timestamp, Touch,
};
use cofferdam_index::{Detail, IndexKey, Part, SegmentIndex};
use cofferdam_tlog::index::{build, catch_up, load, read, save};
use cofferdam_tlog::{Day, SegmentName, Segments, TlogError};
use roaring::RoaringBitmap;
use tempfile::TempDir;

/// An entry has three bytes: the hour, the number of a caller, and a record.
fn summarize(entry: &[u8], show: &mut dyn FnMut(&EntrySummary<'_>)) -> bool {
    let [hour, caller, record] = *entry else { return false };
    let caller: CallerName = format!("web-{caller}").parse().unwrap();
    let via = "accounts".parse().unwrap();
    show(&EntrySummary {
        at: Timestamp::from_second(i64::from(hour) * 3_600).unwrap(),
        touch: Some(Touch {
            caller: &caller,
            via: &via,
            operation: Operation::Release,
            fields: FieldSet::EMPTY.with(Field::Name),
            records: &[Record(record.into())],
        }),
        notable: record == 9,
    });
    true
}

fn key(caller: u8) -> IndexKey {
    IndexKey {
        caller: format!("web-{caller}").parse().unwrap(),
        via: "accounts".parse().unwrap(),
        operation: Operation::Release,
        field: Some(Field::Name),
    }
}

const FIRST: SegmentName = SegmentName { first: 0, day: Day(1) };

/// A log of three days; the first has three hours and two callers.
fn log() -> (TempDir, Segments) {
    let dir = tempfile::tempdir().unwrap();
    let segments = Segments::open(dir.path(), None).unwrap();
    let first: [&[u8]; 5] = [&[1, 1, 5], &[1, 2, 6], &[2, 1, 7], &[2, 1, 9], &[3, 1, 5]];
    segments.append(0, Day(1), &first).unwrap();
    segments.append(5, Day(2), &[&[4, 1, 1]]).unwrap();
    segments.append(6, Day(3), &[&[5, 1, 1]]).unwrap();
    (dir, segments)
}

fn index_file(dir: &TempDir) -> PathBuf {
    dir.path().join(FIRST.file("index"))
}

fn loaded(dir: &TempDir, detail: Detail) -> Option<SegmentIndex> {
    load(dir.path(), FIRST, &|_| true, &|_| detail)
}

#[test]
fn an_index_comes_back_as_it_was_saved() {
    let (dir, segments) = log();
    let built = build(&segments, FIRST, summarize).unwrap();
    assert_eq!((built.parts.len(), built.notable.len(), built.bitmaps.len()), (3, 1, 2));
    assert_eq!(loaded(&dir, Detail::Parts), None, "there is no file yet");
    save(&built, dir.path(), FIRST).unwrap();
    assert_eq!(loaded(&dir, Detail::Parts).unwrap(), built);

    let head = loaded(&dir, Detail::Head).unwrap();
    let expected = SegmentIndex { bitmaps: [].into(), ..built.clone() };
    assert_eq!(head, expected);
    let whole = loaded(&dir, Detail::Whole).unwrap();
    let of = |records: &[u32]| records.iter().copied().collect::<RoaringBitmap>();
    let all = [(key(1), of(&[5, 7, 9])), (key(2), of(&[6]))].into();
    assert_eq!(whole, SegmentIndex { whole: all, ..expected });

    let wanted = |of: &IndexKey| *of == key(2);
    let some = load(dir.path(), FIRST, &wanted, &|_| Detail::Parts).unwrap();
    assert_eq!(some.bitmaps, [(key(2), vec![(0, of(&[6]))])].into());
    assert_eq!(some.keys, built.keys);
}

#[test]
fn a_damaged_file_is_not_read() {
    let (dir, segments) = log();
    save(&build(&segments, FIRST, summarize).unwrap(), dir.path(), FIRST).unwrap();
    let good = fs::read(index_file(&dir)).unwrap();
    let is_read = |bytes: &[u8]| {
        fs::write(index_file(&dir), bytes).unwrap();
        loaded(&dir, Detail::Parts).is_some() && loaded(&dir, Detail::Whole).is_some()
    };
    assert!(is_read(&good));
    for place in 0..good.len() {
        let mut changed = good.clone();
        changed[place] ^= 1;
        assert!(!is_read(&changed), "{place}");
        assert!(!is_read(&good[..place]), "{place}");
    }
    let mut huge = good.clone();
    huge[20..24].fill(0xff);
    assert!(!is_read(&huge));
}

#[test]
fn a_bitmap_of_a_part_that_does_not_exist_is_damage() {
    let (dir, segments) = log();
    let mut index = build(&segments, FIRST, summarize).unwrap();
    index.bitmaps.get_mut(&key(2)).unwrap()[0].0 = 3;
    save(&index, dir.path(), FIRST).unwrap();
    assert_eq!(loaded(&dir, Detail::Parts), None);
}

#[test]
fn an_index_without_a_file_is_built_from_the_entries() {
    let (dir, segments) = log();
    let wanted = |of: &IndexKey| *of == key(1);
    let asked = || read(&segments, dir.path(), FIRST, (&wanted, &|_| Detail::Parts), summarize);
    let built = asked().unwrap();
    assert_eq!(built.bitmaps.keys().collect::<Vec<_>>(), [&key(1)]);
    save(&build(&segments, FIRST, summarize).unwrap(), dir.path(), FIRST).unwrap();
    assert_eq!(asked().unwrap(), built);
    // The second reading comes from the saved file.
    let empty = SegmentIndex { parts: Vec::<Part>::new(), ..SegmentIndex::default() };
    save(&empty, dir.path(), FIRST).unwrap();
    assert_eq!(asked().unwrap(), empty);
}

#[test]
fn missing_indexes_of_closed_segments_are_built_once() {
    let (dir, segments) = log();
    let catch_up = |whole| catch_up(&segments, dir.path(), whole, summarize).unwrap();
    assert_eq!(catch_up(false), 2);
    assert_eq!(catch_up(false), 0);
    assert_eq!(loaded(&dir, Detail::Parts), build(&segments, FIRST, summarize).ok());
    assert_eq!(catch_up(true), 1, "the last segment counts as closed");
    fs::remove_file(index_file(&dir)).unwrap();
    assert_eq!(catch_up(true), 1);
}

#[test]
fn an_entry_that_cannot_be_decoded_fails_the_build() {
    let (_dir, segments) = log();
    segments.append(7, Day(3), &[b"garbled"]).unwrap();
    let failed = build(&segments, SegmentName { first: 6, day: Day(3) }, summarize);
    assert!(matches!(failed, Err(TlogError::Entry(e)) if e.0 == 7), "{failed:?}");
}
