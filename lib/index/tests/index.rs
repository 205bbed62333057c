//! The index of a small log whose entries are lines of text.
#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::collections::BTreeSet;

use cofferdam_core::{
    CallerName, EntrySummary, Field, FieldSet, Operation, Record, Timestamp, Touch,
};
use cofferdam_index::{Detail, IndexBuilder, IndexKey, Notable, Part, SegmentIndex};
use roaring::RoaringBitmap;

const HOUR_MS: i64 = 3_600_000;

/// An entry reads `milliseconds caller via operation fields records`, with `-` for no fields. A line
/// with an instant alone is notable and touches nothing.
fn summarize(entry: &[u8], show: &mut dyn FnMut(&EntrySummary<'_>)) -> bool {
    let line = std::str::from_utf8(entry).unwrap();
    let mut words = line.split(' ');
    let Some(at) = words.next().and_then(|at| at.parse().ok()) else { return false };
    let at = Timestamp::from_millisecond(at).unwrap();
    let [caller, via, operation, fields, records] = match words.collect::<Vec<_>>().as_slice() {
        [] => {
            show(&EntrySummary { at, touch: None, notable: true });
            return true;
        }
        words => <[&str; 5]>::try_from(words).unwrap(),
    };
    let (caller, via): (CallerName, CallerName) = (caller.parse().unwrap(), via.parse().unwrap());
    let operation = Operation::ALL.into_iter().find(|of| of.to_string() == operation).unwrap();
    let fields: FieldSet =
        fields.split(',').filter(|f| *f != "-").map(|f| f.parse::<Field>().unwrap()).collect();
    let records: Vec<_> = records.split(',').map(|r| Record(r.parse().unwrap())).collect();
    let touch = Touch { caller: &caller, via: &via, operation, fields, records: &records };
    show(&EntrySummary { at, touch: Some(touch), notable: false });
    true
}

/// A builder that took these entries of 100 bytes each; the first has the number 1,000.
fn built<S: AsRef<str>>(entries: &[S]) -> IndexBuilder {
    let mut builder = IndexBuilder::new(1_000, summarize);
    for entry in entries {
        builder.add(entry.as_ref().as_bytes(), 100).unwrap();
    }
    builder
}

fn index<S: AsRef<str>>(entries: &[S]) -> SegmentIndex {
    built(entries).index(&|_| true)
}

fn key(caller: &str, via: &str, operation: Operation, field: Option<Field>) -> IndexKey {
    IndexKey { caller: caller.parse().unwrap(), via: via.parse().unwrap(), operation, field }
}

/// The bitmaps of a key: each part with its records.
fn bitmaps(index: &SegmentIndex, key: &IndexKey) -> Vec<(u16, Vec<u32>)> {
    let parts = index.bitmaps.get(key).into_iter().flatten();
    parts.map(|(part, records)| (*part, records.iter().collect())).collect()
}

#[test]
fn an_hour_is_a_part_and_a_clock_that_goes_back_begins_none() {
    let part = |first_ms, last_ms, back_ms, at: u64, entries| Part {
        first_ms,
        last_ms,
        back_ms,
        start: at * 100,
        end: (at + entries) * 100,
        first: 1_000 + at,
        entries,
    };
    let second_hour = HOUR_MS + 7;
    let instants = [10, 5, 20, HOUR_MS - 1, HOUR_MS, second_hour, 30, second_hour - 2];
    let built = built(&instants.map(|at| at.to_string()));
    let index = built.index(&|_| true);
    assert_eq!(built.next(), 1_008);
    assert_eq!(
        index.parts,
        [part(5, HOUR_MS - 1, 5, 0, 4), part(30, second_hour, second_hour - 30, 4, 4)]
    );
    assert_eq!(index.notable.len(), 8);
    assert_eq!(index.notable[2], Notable { index: 1_002, entry: b"20".to_vec() });
}

#[test]
fn an_entry_that_cannot_be_decoded_is_named_and_changes_nothing() {
    let mut builder = built(&["1", "2"]);
    let before = builder.index(&|_| true);
    assert_eq!(builder.add(b"x", 100).unwrap_err().0, 1_002);
    assert_eq!((builder.index(&|_| true), builder.next()), (before, 1_002));
}

#[test]
fn records_are_kept_by_caller_via_operation_field_and_hour() {
    let nobody = Record::NOBODY.0;
    let index = index(&[
        "1 web-1 accounts release name,email 1,2".to_owned(),
        format!("2 web-1 accounts release name 2,3,{nobody}"),
        "3 web-2 accounts release name 4".to_owned(),
        "4 web-1 payments release name 5".to_owned(),
        "5 web-1 accounts seal name 6".to_owned(),
        "6 web-1 accounts harden - 7".to_owned(),
        format!("{HOUR_MS} web-1 accounts release name 1,8"),
        format!("{} web-3 accounts seal email 9", HOUR_MS + 1),
    ]);
    let (release, seal) = (Operation::Release, Operation::Seal);
    let expected = [
        (
            key("web-1", "accounts", release, Some(Field::Name)),
            vec![(0, vec![1, 2, 3]), (1, vec![1, 8])],
        ),
        (key("web-1", "accounts", release, Some(Field::Email)), vec![(0, vec![1, 2])]),
        (key("web-2", "accounts", release, Some(Field::Name)), vec![(0, vec![4])]),
        (key("web-1", "payments", release, Some(Field::Name)), vec![(0, vec![5])]),
        (key("web-1", "accounts", seal, Some(Field::Name)), vec![(0, vec![6])]),
        (key("web-1", "accounts", Operation::Harden, None), vec![(0, vec![7])]),
        (key("web-3", "accounts", seal, Some(Field::Email)), vec![(1, vec![9])]),
    ];
    for (key, parts) in &expected {
        assert_eq!(bitmaps(&index, key), *parts, "{key:?}");
    }
    assert_eq!(index.bitmaps.len(), expected.len());
    let keys: BTreeSet<_> = expected.iter().map(|(key, _)| key.clone()).collect();
    assert_eq!(index.keys, keys.into_iter().collect::<Vec<_>>(), "ascending, each once");
}

#[test]
fn bitmaps_are_kept_of_wanted_keys_and_all_keys_are_named() {
    let entries = [
        "1 web-1 accounts release name,email 1".to_owned(),
        "2 web-2 accounts release name 2".to_owned(),
        format!("{HOUR_MS} web-1 accounts release name,email 3"),
        format!("{} web-2 accounts release name 4", HOUR_MS + 1),
    ];
    let wanted = key("web-1", "accounts", Operation::Release, Some(Field::Email));
    let index = built(&entries).index(&|key| *key == wanted);
    assert_eq!(index.bitmaps.keys().collect::<Vec<_>>(), [&wanted]);
    assert_eq!(bitmaps(&index, &wanted), [(0, vec![1]), (1, vec![3])]);
    assert_eq!(index.keys.len(), 3);
}

/// Thirty kinds of access, so that frequent ones move to the front, and more records than a buffer
/// holds.
#[test]
fn many_kinds_of_access_and_many_records_stay_apart() {
    let (mut entries, mut expected) = (Vec::new(), vec![RoaringBitmap::new(); 30]);
    for round in 0..20_u32 {
        for caller in (0..30_u32).filter(|caller| round == 0 || caller * 7 % 30 < round) {
            let record = round * 100 + caller;
            entries.push(format!("{round} web-{caller} accounts release name {record}"));
            expected[caller as usize].insert(record);
        }
    }
    for block in 0..70_u32 {
        let records: Vec<_> = (0..4_000).map(|n| block * 4_000 + n).collect();
        expected[0].extend(&records);
        let records: Vec<_> = records.iter().map(u32::to_string).collect();
        entries.push(format!("30 web-0 accounts release name {}", records.join(",")));
    }
    let index = index(&entries);
    for (caller, records) in expected.iter().enumerate() {
        let key = key(&format!("web-{caller}"), "accounts", Operation::Release, Some(Field::Name));
        assert_eq!(index.bitmaps[&key], [(0, records.clone())], "{caller}");
    }
}

#[test]
fn a_reader_of_parts_gets_parts() {
    assert_eq!(Detail::Whole.by_part(), Detail::Parts);
    assert_eq!(Detail::Parts.by_part(), Detail::Parts);
    assert_eq!(Detail::Head.by_part(), Detail::Head);
}
