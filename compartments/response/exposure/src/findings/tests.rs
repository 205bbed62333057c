mod plain;

use cofferdam_core::{Epoch, Operation};
use cofferdam_index::IndexBuilder;
use keys_api::{RecordList, Search, Ticket, WarrantId, summarize};
use proptest::prelude::*;
use response_api::{FallenHost, People};

use super::*;
use crate::Bitmaps;
use plain::{Plain, naive};

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
    let operation = match kind {
        0 => Operation::Release,
        1 => Operation::Seal,
        _ => Operation::ReleasePresent,
    };
    let event = match kind {
        0 | 1 | 8 => Event::Released {
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
        4 => Event::Missed {
            caller,
            via,
            domain: Domain::Accounts,
            fields,
            records,
            alone: true,
            warrant: None,
        },
        5 => Event::Found { caller, via, search: Search::Find, ticket: Ticket(1), records },
        6 => Event::Sought { caller, via, count: 1, ticket: Ticket(1) },
        9 | 10 => Event::Enrolled { caller, via, records, attested: kind == 10 },
        11 => Event::SignedIn {
            group: caller.clone(),
            caller,
            via,
            record: Record(3),
            until: Timestamp::UNIX_EPOCH,
        },
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
        0_u8..12,
        0_u8..64,
        prop::collection::vec(0_u32..200_000, 1..9),
    )
}

fn by_index(entries: &[Entry], hosts: &FallenHosts, window: Window) -> Findings {
    let mut builder = IndexBuilder::new(0, summarize);
    for entry in entries {
        let bytes = entry.encode();
        builder.add(&bytes, bytes.len() as u64).unwrap();
    }
    let index = builder.index(&|key| hosts.is_exposed(&key.caller, &key.via, key.operation));
    let mut findings = Findings::default();
    for (_, place) in
        findings.add_indexes(LogKind::Release, std::slice::from_ref(&index), hosts, window)
    {
        let part = &index.parts[place];
        let from = usize::try_from(part.first).unwrap();
        let to = from + usize::try_from(part.entries).unwrap();
        for (number, entry) in (part.first..).zip(&entries[from..to]) {
            let add = &mut |g: &EntrySummary<'_>| findings.add_touch(number, g, hosts, window);
            assert!(summarize(&entry.encode(), add));
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
        for (number, entry) in (0..).zip(&entries) {
            let entry = entry.encode();
            prop_assert!(findings.add_entry(LogKind::Release, (number, &entry), &hosts, window));
        }
        prop_assert_eq!(Plain::of(&findings), naive(&entries, &host, window));

        let indexed = by_index(&entries, &hosts, window);
        if steady {
            prop_assert_eq!(indexed, findings);
        } else {
            // A clock that went back is a doubt: more records may count, and never fewer.
            let (by_index, by_entry) = (Plain::of(&indexed), Plain::of(&findings));
            prop_assert!(by_index.contains(&by_entry));
            let more = by_index != by_entry;
            let said = indexed.doubts.len() > findings.doubts.len();
            prop_assert!(said || !more);
            prop_assert_eq!(indexed.seen, findings.seen);
            prop_assert_eq!(indexed.fronted, findings.fronted);
        }
    }
}

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// From second 100 to second 200.
fn window() -> Window {
    Window::new(second(100), Some(second(200)))
}

fn records(records: &[u32]) -> RoaringBitmap {
    records.iter().copied().collect()
}

#[test]
fn a_cut_counts_in_the_window_and_a_warrant_until_its_end() {
    let cut = |at| (at, Event::Recovered { bytes_cut: 7 });
    let warrant = |at| {
        let event = Event::WarrantOpened {
            warrant: WarrantId([1; 16]),
            caller: name(0),
            fields: FieldSet::EMPTY.with(Field::Email),
            records: 9,
            approvers: ["a".into(), "b".into()],
        };
        (at, event)
    };
    for ((at, event), doubts, warrants) in [
        (cut(99), 0, 0),
        (cut(100), 1, 0),
        (cut(200), 1, 0),
        (cut(201), 0, 0),
        (warrant(1), 0, 1),
        (warrant(200), 0, 1),
        (warrant(201), 0, 0),
    ] {
        let entry = Entry { at: second(at), event };
        let mut findings = Findings::default();
        let hosts = hosts_of(&name(0));
        assert!(findings.add_entry(LogKind::Release, (0, &entry.encode()), &hosts, window()));
        assert_eq!(
            (findings.doubts.len(), findings.warrants.len()),
            (doubts, warrants),
            "{entry:?}"
        );
        let indexed = by_index(&[entry], &hosts, window());
        assert_eq!((indexed.doubts, indexed.warrants), (findings.doubts, findings.warrants));
    }
}

#[test]
fn an_unresolved_access_of_a_fallen_host_in_the_window_counts_as_everybodys() {
    let access = |at: i64, caller: usize, field| AccessEntry {
        at_ms: at * 1_000,
        line: 1,
        caller: name(caller),
        via: name(2),
        operation: Operation::Release,
        fields: FieldSet::EMPTY.with(field),
        records: vec![],
        everybody: Some("no key".into()),
        unknown: 0,
    };
    let hosts = FallenHosts::new(People::Table, &[name(0).as_str().parse().unwrap()]);
    let mut findings = Findings::default();
    for entry in [
        access(99, 0, Field::Phone),
        access(100, 0, Field::Name),
        access(150, 1, Field::Phone),
        access(200, 0, Field::Email),
    ] {
        assert!(findings.add_entry(LogKind::Access, (0, &entry.encode()), &hosts, window()));
    }
    let lost = FieldSet::EMPTY.with(Field::Name).with(Field::Email);
    assert_eq!(findings.everybody, [(Level::Read, lost)].into());
    assert_eq!((findings.unresolved.len(), findings.unresolved_count), (2, 2));

    let more = access(150, 0, Field::Name).encode();
    for _ in 0..MAX_UNRESOLVED {
        assert!(findings.add_entry(LogKind::Access, (0, &more), &hosts, window()));
    }
    assert_eq!((findings.unresolved.len(), findings.unresolved_count), (1_000, 1_002));

    let other = findings.clone();
    let mut one = Findings { unresolved_count: 3, ..Findings::default() };
    one.unresolved = other.unresolved[..3].to_vec();
    one.merge(other);
    assert_eq!((one.unresolved.len(), one.unresolved_count), (1_000, 1_005));
    assert_eq!(one.everybody, findings.everybody);
}

#[test]
fn an_hour_in_which_the_clock_went_back_is_told_in_seconds() {
    let hardened = |at| Entry {
        at: second(at),
        event: Event::Hardened {
            caller: name(0),
            via: name(2),
            records: RecordList::new(vec![Record(1)]),
        },
    };
    let hosts = hosts_of(&name(0));
    let found = by_index(&[hardened(110), hardened(190), hardened(99)], &hosts, window());
    assert_eq!(found.doubts, [DoubtCause::ClockWentBack { hour: second(99), seconds: 91 }]);
    assert_eq!(found.last_ms, Some(190_000));
    assert_eq!(found.seen, [name(0), name(2)].into());
}

#[test]
fn a_second_reading_counts_the_customers_on_whom_the_readings_differ() {
    let read = |of: &[u32]| {
        let read = Bitmaps::from([(Field::Name, records(of))]);
        Findings { levels: Levels { read, ..Levels::default() }, ..Findings::default() }
    };
    let mut findings = read(&[1, 2]);
    assert_eq!(findings.customers_read(), records(&[1, 2]));
    findings.add_second_reading(&read(&[1, 2]));
    assert_eq!(findings.doubts, []);
    findings.add_second_reading(&read(&[2, 3, 4]));
    assert_eq!(findings.customers_read(), records(&[1, 2, 3, 4]));
    assert_eq!(findings.doubts, [DoubtCause::IndexDisagrees { customers: 3 }]);

    // An index that hides that customers were not there disagrees as well.
    let mut findings = read(&[1, 2]);
    let honest = Findings { read_unattended: records(&[2]), ..read(&[1, 2]) };
    findings.add_second_reading(&honest);
    assert_eq!(findings.read_unattended, records(&[2]));
    assert_eq!(findings.doubts, [DoubtCause::IndexDisagrees { customers: 1 }]);
}

#[test]
fn what_a_relay_and_sessions_give_adds_to_what_is_known() {
    let mut findings = Findings::default();
    findings.add_sessions(records(&[]));
    findings.add_relayed(&records(&[]), &records(&[]));
    assert_eq!(findings.levels, Levels::default());
    for (letters, codes, sessions) in [([1, 2], [2, 3], [4]), ([5, 6], [6, 7], [8])] {
        findings.add_relayed(&records(&letters), &records(&codes));
        findings.add_sessions(records(&sessions));
    }
    let read = Bitmaps::from([
        (Field::Name, records(&[1, 2, 5, 6])),
        (Field::Email, records(&[1, 2, 3, 5, 6, 7])),
    ]);
    let presented = Bitmaps::from([
        (Field::Password, records(&[2, 3, 6, 7])),
        (Field::Session, records(&[4, 8])),
    ]);
    assert_eq!(findings.levels, Levels { read, presented, ..Levels::default() });
    assert_eq!(findings.read_unattended, records(&[1, 2, 3, 5, 6, 7]));
}

#[test]
fn an_address_looked_up_is_presented_and_an_unset_field_is_known() {
    let (web, accounts) = (name(0), name(2));
    let found = Event::Found {
        caller: web.clone(),
        via: accounts.clone(),
        search: Search::Reset,
        ticket: Ticket(1),
        records: RecordList::new(vec![Record(7)]),
    };
    let missed = Event::Missed {
        caller: web.clone(),
        via: accounts,
        domain: Domain::Accounts,
        fields: FieldSet::EMPTY.with(Field::Phone),
        records: RecordList::new(vec![Record(8), Record::NOBODY]),
        alone: false,
        warrant: None,
    };
    let entries = [found, missed].map(|event| Entry { at: second(150), event });
    let found = by_index(&entries, &hosts_of(&web), window());
    assert_eq!(found.levels.presented, Bitmaps::from([(Field::Email, records(&[7]))]));
    assert_eq!(found.levels.known_unset, Bitmaps::from([(Field::Phone, records(&[8]))]));
    assert_eq!((found.levels.read.len(), found.everybody.len()), (0, 0));
    let elsewhere = by_index(&entries, &hosts_of(&name(1)), window());
    assert_eq!(elsewhere.levels, Levels::default());
}

/// A customer counts as unattended by any read that was not under presence, at any host and in any part of
/// the log. A card has a number of its own.
#[test]
fn one_read_without_presence_is_enough() {
    let released = |operation, field: Field, of: u32| Event::Released {
        caller: name(0),
        via: name(2),
        domain: field.domain(),
        operation,
        fields: FieldSet::EMPTY.with(field),
        epoch: Epoch(0),
        records: RecordList::new(vec![Record(of)]),
        warrant: None,
    };
    let entries = [
        released(Operation::ReleasePresent, Field::Name, 1),
        released(Operation::ReleasePresent, Field::Phone, 2),
        released(Operation::Release, Field::Name, 2),
        released(Operation::Reseal, Field::Name, 3),
        released(Operation::Release, Field::CardNumber, 1),
    ]
    .map(|event| Entry { at: second(150), event });
    let hosts = hosts_of(&name(0));
    let found = by_index(&entries, &hosts, window());
    assert_eq!(found.customers_read(), records(&[1, 2, 3]));
    assert_eq!(found.read_unattended, records(&[2, 3]));

    let mut parts = by_index(&entries[..2], &hosts, window());
    assert_eq!(parts.read_unattended, records(&[]));
    parts.merge(by_index(&entries[2..], &hosts, window()));
    assert_eq!(parts.read_unattended, records(&[2, 3]));
}

/// A look-up without a note gave no answer, unless the compartment that looked up fell.
#[test]
fn an_unanswered_look_up_is_everybodys_if_the_compartment_fell() {
    for (fallen, sought, counts) in
        [(2, 150, true), (0, 150, false), (1, 150, false), (2, 99, false)]
    {
        let event = Event::Unanswered {
            caller: name(0),
            via: name(2),
            count: 3,
            ticket: Ticket(1),
            sought: second(sought),
        };
        // It is told a minute later, which may be after the window.
        let entries = [Entry { at: second(9_000), event }];
        let hosts = hosts_of(&name(fallen));
        let found = by_index(&entries, &hosts, window());
        let email = FieldSet::EMPTY.with(Field::Email);
        let everybody = if counts { vec![(Level::Presented, email)] } else { vec![] };
        assert_eq!(found.everybody.into_iter().collect::<Vec<_>>(), everybody, "{fallen} {sought}");
        let doubt = DoubtCause::LookedUpUnknown { caller: name(0), addresses: 3 };
        assert_eq!(found.doubts, if counts { vec![doubt] } else { vec![] });
    }
}

/// Whoever had a lost number can't be told, whatever the window is.
#[test]
fn record_numbers_that_were_lost_are_a_doubt() {
    for (lost, is_doubt) in [(None, false), (Some([5, 5]), false), (Some([5, 9]), true)] {
        let (domain, state) = (Domain::Accounts, cofferdam_core::StateId(1));
        let event = Event::StateOpened { domain, via: name(2), state, lost };
        let entries = [Entry { at: second(9_000), event }];
        let found = by_index(&entries, &hosts_of(&name(0)), window());
        let doubt = DoubtCause::NumbersLost { domain, from: 5, to: 9 };
        assert_eq!(found.doubts, if is_doubt { vec![doubt] } else { vec![] });
    }
}
