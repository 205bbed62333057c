use std::collections::BTreeSet;

use cofferdam_core::{Epoch, FieldSet};
use cofferdam_index::IndexBuilder;
use keys_api::{RecordList, glance};
use proptest::prelude::*;

use super::*;

const CALLERS: [&str; 4] = ["web-ky-1", "web-ky-2", "accounts", "checkout-1"];

fn name(n: usize) -> CallerName {
    CALLERS[n % 4].parse().unwrap()
}

fn entry((second, caller, via, kind, bits, records): Raw) -> Entry {
    let records = RecordList::new(records.into_iter().map(Record).collect());
    let fields = Field::ALL[..6].iter().copied().enumerate();
    let fields: FieldSet = fields.filter(|(n, _)| bits & (1 << n) != 0).map(|(_, f)| f).collect();
    let (caller, via) = (name(caller), name(via));
    let operation = if kind == 0 { Operation::Release } else { Operation::Seal };
    let event = match kind {
        0 | 1 => Event::Released {
            caller,
            via,
            domain: Domain::Accounts,
            operation,
            fields,
            epoch: Epoch(0),
            records,
            warrant: None,
        },
        2 => Event::Hardened { caller, via, records },
        3 => Event::Indexed { caller, via, count: 1 },
        _ => Event::Recovered { bytes_cut: 7 },
    };
    Entry { at: Timestamp::from_second(second).unwrap(), event }
}

type Raw = (i64, usize, usize, u8, u8, Vec<u32>);

/// A day and a half, in which the clock may go anywhere.
fn raw() -> impl Strategy<Value = Raw> {
    (
        0_i64..130_000,
        0_usize..4,
        0_usize..4,
        0_u8..5,
        0_u8..64,
        prop::collection::vec(0_u32..200_000, 1..9),
    )
}

/// The same in plain sets, straight from the definition.
fn naive(entries: &[Entry], fallen: &CallerName, window: Window) -> [BTreeSet<(Field, u32)>; 2] {
    let [mut read, mut presented] = [BTreeSet::new(), BTreeSet::new()];
    for entry in entries.iter().filter(|entry| window.holds(entry.at)) {
        match &entry.event {
            Event::Released { caller, via, operation, fields, records, .. } => {
                for field in fields.iter() {
                    for record in records.as_slice() {
                        if via == fallen || (caller == fallen && *operation == Operation::Release) {
                            read.insert((field, record.0));
                        } else if caller == fallen {
                            presented.insert((field, record.0));
                        }
                    }
                }
            }
            Event::Hardened { caller, via, records } if caller == fallen || via == fallen => {
                for record in records.as_slice() {
                    presented.insert((Field::Email, record.0));
                    presented.insert((Field::Password, record.0));
                }
            }
            _ => {}
        }
    }
    [read, presented]
}

fn flat(bitmaps: &Bitmaps) -> BTreeSet<(Field, u32)> {
    bitmaps.iter().flat_map(|(f, records)| records.iter().map(|r| (*f, r))).collect()
}

fn by_index(entries: &[Entry], fallen: &Fallen, window: Window) -> Found {
    let mut builder = IndexBuilder::new(0, glance);
    for entry in entries {
        let bytes = entry.encode();
        builder.add(&bytes, bytes.len() as u64).unwrap();
    }
    let index = builder.index(&|key| fallen.level(&key.caller, &key.via, key.operation).is_some());
    let mut found = Found::default();
    for (_, place) in
        found.take_indexes(LogKind::Release, std::slice::from_ref(&index), fallen, window)
    {
        let part = &index.parts[place];
        let from = usize::try_from(part.first).unwrap();
        for entry in &entries[from..from + usize::try_from(part.entries).unwrap()] {
            assert!(glance(&entry.encode(), &mut |g| found.take_touch(g, fallen, window)));
        }
    }
    found
}

proptest! {
    #[test]
    fn log_index_and_definition_agree(
        raws in prop::collection::vec(raw(), 0..60),
        fallen in 0_usize..4,
        from in 0_i64..130_000,
        length in 0_i64..130_000,
        steady: bool,
    ) {
        let mut raws = raws;
        if steady {
            raws.sort_by_key(|raw| raw.0);
        }
        let entries: Vec<_> = raws.into_iter().map(entry).collect();
        let (host, at) = (name(fallen), |s| Timestamp::from_second(s).unwrap());
        let window = Window::new(at(from), Some(at(from + length)));
        let fallen = Fallen::new(&[host.as_str().parse().unwrap()]);

        let mut found = Found::default();
        for entry in &entries {
            prop_assert!(found.take_entry(LogKind::Release, &entry.encode(), &fallen, window));
        }
        let [read, presented] = naive(&entries, &host, window);
        prop_assert_eq!((flat(&found.read), flat(&found.presented)), (read, presented));

        let indexed = by_index(&entries, &fallen, window);
        if steady {
            prop_assert_eq!(indexed, found);
        } else {
            // A clock that went back is a doubt: more counts, never less.
            prop_assert!(flat(&indexed.read).is_superset(&flat(&found.read)));
            prop_assert!(flat(&indexed.presented).is_superset(&flat(&found.presented)));
            let more = flat(&indexed.read) != flat(&found.read)
                || flat(&indexed.presented) != flat(&found.presented);
            let said = indexed.doubts.len() > found.doubts.len();
            prop_assert!(said || !more);
            prop_assert_eq!(indexed.seen, found.seen);
            prop_assert_eq!(indexed.fronted, found.fronted);
        }
    }
}
