use std::collections::BTreeSet;

use cofferdam_core::Epoch;
use cofferdam_index::IndexBuilder;
use keys_api::{RecordList, summarize};
use proptest::prelude::*;
use response_api::{FallenHost, People};

use super::*;
use crate::Bitmaps;

const CALLERS: [&str; 4] = ["web-ky-1", "web-ky-2", "accounts", "checkout-1"];

fn hosts_of(caller: &CallerName) -> FallenHosts {
    let host: FallenHost = caller.as_str().parse().unwrap();
    FallenHosts::new(People::Accounts, &[host])
}

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

/// A day and a half, in which the clock may go forth and back.
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

/// Computes the same in plain sets, straight from the definition.
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

fn by_index(entries: &[Entry], hosts: &FallenHosts, window: Window) -> Findings {
    let mut builder = IndexBuilder::new(0, summarize);
    for entry in entries {
        let bytes = entry.encode();
        builder.add(&bytes, bytes.len() as u64).unwrap();
    }
    let index = builder.index(&|key| hosts.level(&key.caller, &key.via, key.operation).is_some());
    let mut findings = Findings::default();
    for (_, place) in
        findings.add_indexes(LogKind::Release, std::slice::from_ref(&index), hosts, window)
    {
        let part = &index.parts[place];
        let from = usize::try_from(part.first).unwrap();
        for entry in &entries[from..from + usize::try_from(part.entries).unwrap()] {
            assert!(summarize(&entry.encode(), &mut |g| findings.add_touch(g, hosts, window)));
        }
    }
    findings
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
        let hosts = hosts_of(&host);

        let mut findings = Findings::default();
        for entry in &entries {
            prop_assert!(findings.add_entry(LogKind::Release, &entry.encode(), &hosts, window));
        }
        let [read, presented] = naive(&entries, &host, window);
        prop_assert_eq!((flat(&findings.levels.read), flat(&findings.levels.presented)), (read, presented));

        let indexed = by_index(&entries, &hosts, window);
        if steady {
            prop_assert_eq!(indexed, findings);
        } else {
            // A clock that went back is a doubt: more records may count, and never fewer.
            prop_assert!(flat(&indexed.levels.read).is_superset(&flat(&findings.levels.read)));
            prop_assert!(flat(&indexed.levels.presented).is_superset(&flat(&findings.levels.presented)));
            let more = flat(&indexed.levels.read) != flat(&findings.levels.read)
                || flat(&indexed.levels.presented) != flat(&findings.levels.presented);
            let said = indexed.doubts.len() > findings.doubts.len();
            prop_assert!(said || !more);
            prop_assert_eq!(indexed.seen, findings.seen);
            prop_assert_eq!(indexed.fronted, findings.fronted);
        }
    }
}
