use cofferdam_core::{Field, KeyBytes};

use super::*;

const DECOY_KEY: KeyBytes = KeyBytes::new([1; 32]);

fn ring() -> KeyRing {
    let key = |n| KeyBytes::new([n; 32]);
    let mut ring = KeyRing::new(&key(1), &key(2));
    ring.insert(Domain::Accounts, Epoch(0), &key(3));
    ring.insert(Domain::Accounts, Epoch(1), &key(4));
    ring.insert(Domain::Payments, Epoch(0), &key(5));
    ring
}

fn fields(fields: &[Field]) -> FieldSet {
    fields.iter().copied().collect()
}

fn records(numbers: &[u32]) -> Vec<Record> {
    numbers.iter().copied().map(Record).collect()
}

fn group(names: &[Field], epoch: Option<u16>, numbers: &[u32]) -> KeyGroup {
    KeyGroup {
        fields: fields(names),
        unset: FieldSet::EMPTY,
        epoch: epoch.map(Epoch),
        records: records(numbers),
    }
}

fn call(groups: Vec<KeyGroup>) -> ReleaseKeys {
    ReleaseKeys {
        domain: Domain::Accounts,
        caller: "web-1".parse().unwrap(),
        operation: Operation::Release,
        groups,
        warrant: None,
        presence: None,
    }
}

fn read(call: ReleaseKeys) -> Result<Wanted, BadRelease> {
    Wanted::read(call, &ring())
}

const NAME: &[Field] = &[Field::Name];
const EMAIL: &[Field] = &[Field::Email];
const BOTH: &[Field] = &[Field::Name, Field::Email];

/// Each fault is once in the only group and once in the second of three.
#[test]
fn a_fault_is_found_in_whichever_group_it_stands() {
    let accounts = Domain::Accounts;
    for (bad, error) in [
        (group(&[], None, &[5]), BadRelease::Fields(accounts)),
        (group(&[Field::CardNumber], None, &[5]), BadRelease::Fields(accounts)),
        (group(&[Field::Name, Field::CardNumber], None, &[5]), BadRelease::Fields(accounts)),
        (group(NAME, Some(2), &[5]), BadRelease::NoEpoch(accounts, Epoch(2))),
        (group(NAME, None, &[6, 5]), BadBatch::Order.into()),
        (group(NAME, None, &[5, 5]), BadBatch::Order.into()),
        (group(NAME, None, &[u32::MAX]), BadBatch::Nobody.into()),
    ] {
        assert_eq!(read(call(vec![bad.clone()])), Err(error), "{bad:?}");
        let (good, last) = (group(NAME, None, &[1]), group(EMAIL, None, &[2]));
        assert_eq!(read(call(vec![good, bad.clone(), last])), Err(error), "{bad:?} between others");
    }
}

#[test]
fn a_call_has_records_and_an_operation_that_gives_out_keys() {
    assert_eq!(read(call(vec![])), Err(BadBatch::Count(0).into()));
    assert_eq!(read(call(vec![group(NAME, None, &[])])), Err(BadBatch::Count(0).into()));
    let half = |from: u32| group(NAME, None, &(from..from + 5_000).collect::<Vec<_>>());
    assert!(read(call(vec![half(0), half(5_000)])).is_ok());
    let more = vec![half(0), half(5_000), group(NAME, None, &[10_000])];
    assert_eq!(read(call(more)), Err(BadBatch::Count(10_001).into()));

    let warrant = Some(WarrantId([7; 16]));
    for operation in Operation::ALL {
        let of = |warrant| {
            let groups = vec![group(NAME, None, &[1])];
            read(ReleaseKeys { operation, warrant, ..call(groups) }).map(|wanted| wanted.basis())
        };
        let (plain, warranted) = match operation {
            Operation::Release => (Ok(Basis::Grant), Ok(Basis::Warrant(WarrantId([7; 16])))),
            Operation::Seal => (Ok(Basis::Grant), Err(BadRelease::Warrant)),
            Operation::Reseal => (Ok(Basis::Reseal), Err(BadRelease::Warrant)),
            _ => (Err(BadRelease::Operation), Err(BadRelease::Operation)),
        };
        assert_eq!((of(None), of(warrant)), (plain, warranted), "{operation}");
    }
    let groups = vec![group(&[Field::BroughtName], None, &[1])];
    let elsewhere = ReleaseKeys { domain: Domain::Response, ..call(groups) };
    assert_eq!(read(elsewhere), Err(BadRelease::NoKey(Domain::Response)));
}

#[test]
fn no_key_is_asked_for_twice() {
    for (second, twice) in [
        (group(NAME, None, &[2]), true),
        (group(BOTH, None, &[2, 9]), true),
        (group(NAME, Some(1), &[2]), true),
        (group(NAME, Some(0), &[2]), false),
        (group(EMAIL, None, &[2]), false),
        (group(NAME, None, &[4]), false),
    ] {
        let groups = vec![group(NAME, None, &[1, 2, 3]), group(EMAIL, None, &[7]), second.clone()];
        let expected = if twice { Err(BadRelease::Twice) } else { Ok(()) };
        assert_eq!(read(call(groups)).map(|_| ()), expected, "{second:?}");
    }
    let three = [NAME, EMAIL, BOTH].map(|names| group(names, None, &[1]));
    assert_eq!(read(call(three.into())), Err(BadRelease::Twice), "with either of two before");
}

#[test]
fn the_fields_and_records_of_every_group_count() {
    let wanted = read(call(vec![
        group(NAME, None, &[1, 2]),
        group(&[Field::Phone, Field::Email], Some(0), &[2, 3, 4]),
        group(EMAIL, None, &[]),
    ]))
    .unwrap();
    assert_eq!(wanted.fields(), fields(&[Field::Name, Field::Email, Field::Phone]));
    assert_eq!(wanted.records(), RoaringBitmap::from([1, 2, 3, 4]));
    assert_eq!((wanted.count(), wanted.key_count()), (5, 2 + 6));
    assert_eq!((wanted.domain(), wanted.operation()), (Domain::Accounts, Operation::Release));
}

#[test]
fn erased_records_are_withheld_always_and_decoys_under_a_warrant() {
    let decoys = Decoys::new(&DECOY_KEY, 3);
    let is_decoy = |n: &u32| decoys.is_decoy(Domain::Accounts, Record(*n));
    let (nobody, people): (Vec<u32>, Vec<u32>) = (0..60).partition(is_decoy);
    let all: Vec<u32> = (0..60).collect();
    let erased: RoaringBitmap = [nobody[0], people[0], people[1]].into_iter().collect();
    let withheld = |warrant| {
        let groups = vec![group(NAME, None, &all), group(EMAIL, None, &all)];
        let mut wanted = read(ReleaseKeys { warrant, ..call(groups) }).unwrap();
        let withheld = wanted.withhold(&erased, &decoys);
        (withheld, wanted)
    };
    let mut gone = records(&[nobody[0], people[0], people[1]]);
    gone.sort_unstable();

    let (plain, wanted) = withheld(None);
    assert_eq!(plain, Withheld { decoys: vec![], erased: gone.clone() });
    assert_eq!(wanted.records().len(), 60 - 3);
    assert_eq!(wanted.count(), 2 * 60, "the caller learns who was erased");

    let (warranted, wanted) = withheld(Some(WarrantId([7; 16])));
    assert_eq!(warranted, Withheld { decoys: records(&nobody[1..]), erased: gone });
    assert_eq!(wanted.records(), people[2..].iter().copied().collect());
    assert_eq!(wanted.count(), 2 * (people.len() - 2));
    assert_eq!(wanted.fields(), fields(BOTH), "a group without records still asks for its fields");
}

#[test]
fn the_log_says_what_leaves_group_by_group_and_under_which_warrant() {
    let warrant = Some(WarrantId([7; 16]));
    let (caller, via): (CallerName, CallerName) =
        ("response-1".parse().unwrap(), "accounts".parse().unwrap());
    let groups =
        vec![group(NAME, Some(0), &[1, 2]), group(BOTH, None, &[]), group(EMAIL, None, &[70_000])];
    let wanted = read(ReleaseKeys { warrant, ..call(groups) }).unwrap();
    let event = |names: &[Field], epoch, numbers: &[u32]| Event::Released {
        caller: caller.clone(),
        via: via.clone(),
        domain: Domain::Accounts,
        operation: Operation::Release,
        fields: fields(names),
        epoch: Epoch(epoch),
        records: RecordList::new(records(numbers)),
        warrant,
    };
    let expected = [event(NAME, 0, &[1, 2]), event(EMAIL, 1, &[70_000])];
    assert_eq!(wanted.events(&caller, &via), expected);
}

#[test]
fn each_group_gets_the_keys_of_its_own_epoch_and_fields() {
    let ring = ring();
    let groups =
        vec![group(BOTH, Some(0), &[1, 2]), group(NAME, None, &[]), group(NAME, None, &[1])];
    let released = read(call(groups)).unwrap().keys(&ring);
    let shape: Vec<_> = released.iter().map(|of| (of.epoch, of.records.len())).collect();
    assert_eq!(shape, [(Epoch(0), 2), (Epoch(1), 0), (Epoch(1), 1)]);
    let keys = |epoch, record, names: &[Field]| {
        let keys = ring.field_keys(Domain::Accounts, Epoch(epoch), Record(record), fields(names));
        keys.unwrap().iter().map(|key| *key.0.expose()).collect::<Vec<_>>()
    };
    let got = |group: usize, record: usize| {
        let of = &released[group].records[record];
        (of.record.0, of.keys.iter().map(|key| *key.0.expose()).collect::<Vec<_>>())
    };
    assert_eq!(got(0, 0), (1, keys(0, 1, BOTH)));
    assert_eq!(got(0, 1), (2, keys(0, 2, BOTH)));
    assert_eq!(got(2, 0), (1, keys(1, 1, NAME)));
}

#[test]
fn a_release_is_held_against_erasures_and_retired_epochs_again() {
    let wanted = read(call(vec![group(NAME, Some(0), &[5]), group(NAME, Some(1), &[6])])).unwrap();
    let still = |erased: &[u32], ring: &KeyRing| {
        wanted.is_still_there(&erased.iter().copied().collect(), ring)
    };
    let now = ring();
    assert!(still(&[7], &now));
    assert!(!still(&[6], &now));
    let mut later = KeyRing::new(&KeyBytes::new([1; 32]), &KeyBytes::new([2; 32]));
    later.insert(Domain::Accounts, Epoch(1), &KeyBytes::new([4; 32]));
    assert!(!still(&[], &later));
}
