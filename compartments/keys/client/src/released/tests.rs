use cofferdam_core::{Domain, KeyBytes, Operation, SeededRng};
use keys_api::{RecordKeys, ReleasedGroup, WarrantId};
use proptest::prelude::*;

use super::*;

const NAME: FieldSet = FieldSet::EMPTY.with(Field::Name);
const BOTH: FieldSet = NAME.with(Field::Email);

/// A key that is different for every epoch, record and field.
fn key(epoch: Epoch, record: Record, field: Field) -> FieldKey {
    let mut bytes = [0; 32];
    bytes[..2].copy_from_slice(&epoch.0.to_be_bytes());
    bytes[2..6].copy_from_slice(&record.0.to_be_bytes());
    bytes[6] = field as u8;
    FieldKey(KeyBytes::new(bytes))
}

/// A compartment without halves: keys are those of the answer.
const fn none() -> Halves {
    Halves::none(Domain::Accounts)
}

fn records(numbers: &[u32]) -> Vec<Record> {
    numbers.iter().copied().map(Record).collect()
}

fn wish(wanted: &[(u32, Option<u16>, FieldSet)]) -> Wish {
    let mut wish = Wish::default();
    for (record, epoch, fields) in wanted {
        wish.add(Record(*record), epoch.map(Epoch), *fields);
    }
    wish
}

fn call(wish: &Wish, warrant: Option<WarrantId>) -> ReleaseKeys {
    ReleaseKeys {
        domain: Domain::Accounts,
        caller: "web-1".parse().unwrap(),
        operation: Operation::Release,
        groups: wish.groups(),
        warrant,
        presence: None,
    }
}

/// The answer of `keys` if it withholds these records. Its current epoch is 9.
fn answer(call: &ReleaseKeys, decoys: &[u32], erased: &[u32]) -> ReleasedKeys {
    let group = |group: &KeyGroup| {
        let epoch = group.epoch.unwrap_or(Epoch(9));
        let left =
            group.records.iter().filter(|r| !decoys.contains(&r.0) && !erased.contains(&r.0));
        let keys = |record: &Record| RecordKeys {
            record: *record,
            keys: group.fields.iter().map(|field| key(epoch, *record, field)).collect(),
        };
        ReleasedGroup { epoch, records: left.map(keys).collect() }
    };
    ReleasedKeys {
        groups: call.groups.iter().map(group).collect(),
        decoys: records(decoys),
        erased: records(erased),
    }
}

/// An epoch, and the keys of fields.
type Shown = (u16, Vec<(Field, [u8; 32])>);

/// The keys that were released for a record.
fn keys_of(released: &Released, record: u32) -> Option<Shown> {
    let of = released.get(Record(record))?;
    let keys = of.keys.iter().map(|(field, key)| (*field, *key.0.expose()));
    Some((of.epoch().0, keys.collect()))
}

/// The right keys of a record.
fn right(record: u32, epoch: u16, fields: FieldSet) -> Shown {
    let key = |field| (field, *key(Epoch(epoch), Record(record), field).0.expose());
    (epoch, fields.iter().map(key).collect())
}

#[test]
fn records_are_grouped_by_epoch_and_fields_and_asked_for_once() {
    let wish = wish(&[
        (7, Some(1), BOTH),
        (3, Some(1), NAME),
        (5, Some(0), NAME),
        (2, Some(1), NAME),
        (3, Some(1), NAME),
        (4, Some(1), FieldSet::EMPTY),
        (1, None, NAME),
        (8, Some(1), NAME),
        (8, Some(1), FieldSet::EMPTY.with(Field::Email)),
    ]);
    let group = |epoch: Option<u16>, fields, numbers: &[u32]| KeyGroup {
        fields,
        unset: FieldSet::EMPTY,
        epoch: epoch.map(Epoch),
        records: records(numbers),
    };
    let expected = [
        group(None, NAME, &[1]),
        group(Some(0), NAME, &[5]),
        group(Some(1), NAME, &[2, 3]),
        group(Some(1), BOTH, &[7, 8]),
    ];
    assert_eq!(wish.groups(), expected);
}

#[test]
fn what_is_unset_and_who_does_not_exist_are_asked_for_as_well() {
    const EMAIL: FieldSet = FieldSet::EMPTY.with(Field::Email);
    let stored = |record, epoch, fields, unset| {
        let sealed = SealedRecord { record: Record(record), epoch: Epoch(epoch), fields };
        Asked::Stored(sealed, unset)
    };
    let mut wish = Wish::default();
    for asked in [
        stored(1, 4, NAME, EMAIL),
        stored(2, 4, BOTH, FieldSet::EMPTY),
        stored(3, 4, NAME, EMAIL),
        stored(4, 4, FieldSet::EMPTY, BOTH),
        Asked::Missing(Record(5), BOTH),
    ] {
        wish.add_asked(asked);
    }
    let group = |epoch: Option<u16>, fields, unset, numbers: &[u32]| KeyGroup {
        fields,
        unset,
        epoch: epoch.map(Epoch),
        records: records(numbers),
    };
    let expected = [
        group(None, FieldSet::EMPTY, BOTH, &[4, 5]),
        group(Some(4), NAME, EMAIL, &[1, 3]),
        group(Some(4), BOTH, FieldSet::EMPTY, &[2]),
    ];
    assert_eq!(wish.groups(), expected);
    let call = call(&wish, None);
    let released = wish.released(&call, answer(&call, &[], &[5]), &none()).unwrap();
    assert_eq!(keys_of(&released, 3), Some(right(3, 4, NAME)));
    assert_eq!(keys_of(&released, 4), Some(right(4, 9, FieldSet::EMPTY)));
    assert_eq!(keys_of(&released, 5), None);
}

#[test]
fn keys_come_back_by_record_and_field() {
    let wish = wish(&[
        (7, Some(1), BOTH),
        (3, Some(0), NAME),
        (4, Some(1), FieldSet::EMPTY),
        (6, None, FieldSet::EMPTY),
        (1, None, NAME),
    ]);
    let call = call(&wish, None);
    let released = wish.released(&call, answer(&call, &[], &[]), &none()).unwrap();
    assert_eq!(keys_of(&released, 7), Some(right(7, 1, BOTH)));
    assert_eq!(keys_of(&released, 3), Some(right(3, 0, NAME)));
    assert_eq!(keys_of(&released, 1), Some(right(1, 9, NAME)), "sealed under the current epoch");
    assert_eq!(keys_of(&released, 4), Some(right(4, 1, FieldSet::EMPTY)), "it has no fields");
    assert_eq!(keys_of(&released, 6), Some(right(6, 0, FieldSet::EMPTY)));
    assert_eq!(keys_of(&released, 5), None, "nobody asked");
    assert!(matches!(released.of(Record(5)), Err(VaultError::Withheld(Record(5)))));
    assert_eq!(released.of(Record(7)).unwrap().epoch(), Epoch(1));
    assert_eq!(released.decoys(), []);
    assert_eq!(released.take(Record(7)).unwrap().epoch(), Epoch(1));
    let again = wish.released(&call, answer(&call, &[], &[7]), &none()).unwrap();
    assert!(matches!(again.take(Record(7)), Err(VaultError::Withheld(Record(7)))));
}

#[test]
fn erased_records_are_withheld_and_decoys_under_a_warrant_alone() {
    let wish = wish(&[(1, Some(0), NAME), (2, Some(0), NAME), (3, Some(0), BOTH)]);
    let plain = call(&wish, None);
    let warranted = call(&wish, Some(WarrantId([7; 16])));

    let released = wish.released(&plain, answer(&plain, &[], &[2]), &none()).unwrap();
    assert_eq!(keys_of(&released, 2), None);
    assert_eq!(keys_of(&released, 1), Some(right(1, 0, NAME)));
    assert_eq!(released.decoys(), []);

    let released = wish.released(&warranted, answer(&warranted, &[1, 3], &[2]), &none()).unwrap();
    assert_eq!([1, 2, 3].map(|record| keys_of(&released, record)), [None, None, None]);
    assert_eq!(released.decoys(), records(&[1, 3]));

    let mismatch =
        |answer| matches!(wish.released(&plain, answer, &none()), Err(VaultError::Mismatch));
    assert!(mismatch(answer(&plain, &[1], &[])), "a decoy without a warrant");
    let mut told = answer(&plain, &[], &[]);
    told.decoys = records(&[1]);
    assert!(mismatch(told), "a decoy that is told beside its keys");
}

#[test]
fn whatever_else_differs_from_the_question_is_a_mismatch() {
    type Change = fn(&mut ReleasedKeys);
    let wish = wish(&[(1, Some(0), NAME), (2, Some(0), NAME), (3, Some(1), BOTH), (4, None, BOTH)]);
    let call = call(&wish, Some(WarrantId([7; 16])));
    let changes: [(&str, Change); 13] = [
        ("a group is missing", |a| drop(a.groups.pop())),
        ("there is a group more", |a| {
            a.groups.push(ReleasedGroup { epoch: Epoch(0), records: vec![] });
        }),
        ("groups in another order", |a| a.groups.swap(0, 1)),
        ("a record is missing", |a| drop(a.groups[1].records.pop())),
        ("all records are missing", |a| a.groups[1].records.clear()),
        ("there is a record more", |a| {
            a.groups[1].records.push(RecordKeys { record: Record(9), keys: vec![] });
        }),
        ("a record stands twice", |a| {
            let keys = vec![key(Epoch(0), Record(2), Field::Name)];
            a.groups[1].records.push(RecordKeys { record: Record(2), keys });
        }),
        ("another record", |a| a.groups[1].records[0].record = Record(5)),
        ("records in another order", |a| a.groups[1].records.swap(0, 1)),
        ("a key is missing", |a| drop(a.groups[2].records[0].keys.pop())),
        ("there is a key more", |a| {
            a.groups[1].records[0].keys.push(key(Epoch(0), Record(1), Field::Email));
        }),
        ("keys of another epoch", |a| a.groups[1].epoch = Epoch(3)),
        ("a record is withheld that nobody asked for", |a| a.erased.push(Record(9))),
    ];
    assert!(wish.released(&call, answer(&call, &[], &[]), &none()).is_ok());
    for (what, change) in changes {
        let mut changed = answer(&call, &[], &[]);
        change(&mut changed);
        let read = wish.released(&call, changed, &none());
        assert!(matches!(read, Err(VaultError::Mismatch)), "{what}");
    }
    let mut decoy = answer(&call, &[], &[]);
    decoy.decoys.push(Record(9));
    assert!(wish.released(&call, decoy, &none()).is_err(), "a decoy that nobody asked for");
    let mut both = answer(&call, &[], &[]);
    both.erased.push(Record(1));
    assert!(wish.released(&call, both, &none()).is_err(), "an erased record with keys");
}

#[test]
fn nothing_is_asked_for_records_without_fields() {
    let wish = wish(&[(1, Some(3), FieldSet::EMPTY)]);
    assert!(wish.is_empty() && wish.groups().is_empty());
    assert_eq!(keys_of(&wish.released_without_keys(), 1), Some(right(1, 3, FieldSet::EMPTY)));
    assert!(Wish::default().released_without_keys().get(Record(1)).is_none());
}

#[test]
fn a_text_opens_with_the_key_of_its_own_field() {
    let rng = SeededRng::new(1);
    let wish = wish(&[(7, Some(1), BOTH)]);
    let call = call(&wish, None);
    let released = wish.released(&call, answer(&call, &[], &[]), &none()).unwrap();
    let keys = released.of(Record(7)).unwrap();
    let sealed = keys.seal(Field::Email, &Personal::new("ada@post.example"), &rng).unwrap();
    assert_eq!(keys.open(Field::Email, &sealed).unwrap().expose(), "ada@post.example");
    assert!(matches!(keys.open(Field::Name, &sealed), Err(VaultError::Open(_))));
    let not_asked =
        |error| matches!(error, VaultError::NotAsked { record: Record(7), field: Field::Phone });
    assert!(not_asked(keys.open(Field::Phone, &sealed).unwrap_err()));
    assert!(not_asked(keys.seal(Field::Phone, &Personal::new("1"), &rng).unwrap_err()));
}

#[test]
fn records_of_several_epochs_move_to_one() {
    let rng = SeededRng::new(2);
    let sealed = |record, epoch, fields| SealedRecord {
        record: Record(record),
        epoch: Epoch(epoch),
        fields,
    };
    let rows = [sealed(1, 0, NAME), sealed(2, 1, NAME), sealed(3, 0, BOTH), sealed(4, 0, NAME)];
    let mut wish = Wish::default();
    for SealedRecord { record, epoch, fields } in rows {
        wish.add(record, Some(epoch), fields);
        wish.add(record, Some(Epoch(2)), fields);
    }
    let call = ReleaseKeys { operation: Operation::Reseal, ..call(&wish, None) };
    let answered = answer(&call, &[], &[4]);
    let resealing = resealing(&rows, Epoch(2), &call, answered, &none()).unwrap();
    for SealedRecord { record, epoch, fields } in &rows[..3] {
        let keys = resealing.get(*record).unwrap();
        assert_eq!(keys.epoch(), Epoch(2));
        for field in fields.iter() {
            let text = Personal::new(format!("{field} of {record}"));
            let old = SealedAs { record: *record, field, epoch: *epoch };
            let old = old.seal(&key(*epoch, *record, field), &text, &rng);
            let new = keys.reseal(field, &old, &rng).unwrap();
            let place = SealedAs { record: *record, field, epoch: Epoch(2) };
            assert_eq!(place.open(&key(Epoch(2), *record, field), &new).unwrap(), text);
        }
    }
    assert!(resealing.get(Record(4)).is_none(), "erased meanwhile");
}

#[test]
fn a_wrong_answer_moves_nothing() {
    let rows = [SealedRecord { record: Record(1), epoch: Epoch(0), fields: NAME }];
    let wish = wish(&[(1, Some(0), NAME), (1, Some(2), NAME)]);
    let call = ReleaseKeys { operation: Operation::Reseal, ..call(&wish, None) };
    let mut wrong = answer(&call, &[], &[]);
    wrong.groups[1].epoch = Epoch(3);
    assert!(matches!(resealing(&rows, Epoch(2), &call, wrong, &none()), Err(VaultError::Mismatch)));
}

proptest! {
    /// For any question, each record gets exactly the keys of its epoch and fields.
    #[test]
    fn every_record_gets_its_own_keys(
        wanted in prop::collection::btree_map(0_u32..50, (0_u16..3, 0_u16..64), 0..40),
        erased in prop::collection::btree_set(0_u32..50, 0..10),
    ) {
        let fields = |bits| FieldSet::from_bits(bits).unwrap();
        let mut wish = Wish::default();
        for (record, (epoch, bits)) in &wanted {
            wish.add(Record(*record), Some(Epoch(*epoch)), fields(*bits));
        }
        let call = call(&wish, None);
        let asked = |n: &u32| wanted.get(n).is_some_and(|(_, bits)| *bits != 0);
        let erased: Vec<u32> = erased.into_iter().filter(asked).collect();
        let released = wish.released(&call, answer(&call, &[], &erased), &none()).unwrap();
        for record in 0..50 {
            let of = wanted.get(&record).filter(|_| !erased.contains(&record));
            let expected = of.map(|(epoch, bits)| right(record, *epoch, fields(*bits)));
            prop_assert_eq!(keys_of(&released, record), expected);
        }
    }
}
