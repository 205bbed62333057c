use std::collections::HashSet;

use cofferdam_core::{Field, Personal, SeededRng};
use proptest::prelude::*;

use super::*;

const DOMAIN: Domain = Domain::Accounts;

fn secret(seed: u8) -> KeyBytes {
    KeyBytes::new([seed; 32])
}

fn halves(secrets: &[(u16, u8)]) -> Halves {
    Halves::new(DOMAIN, secrets.iter().map(|(from, seed)| (Epoch(*from), secret(*seed))))
}

fn place(record: u32, field: Field, epoch: u16) -> SealedAs {
    SealedAs { record: Record(record), field, epoch: Epoch(epoch) }
}

fn key(halves: &Halves, place: SealedAs, part: u8) -> [u8; 32] {
    *halves.combine(place, FieldKey(secret(part))).0.expose()
}

#[test]
fn a_key_takes_both_halves_and_belongs_to_one_place() {
    let (own, other) = (halves(&[(0, 1)]), halves(&[(0, 2)]));
    let mut seen = HashSet::new();
    for (halves, part) in [(&own, 7), (&own, 8), (&other, 7)] {
        for record in [0, 1, 256] {
            for field in [Field::Name, Field::Email] {
                for epoch in [0, 1] {
                    assert!(seen.insert(key(halves, place(record, field, epoch), part)));
                }
            }
        }
    }
    let of_payments = Halves::new(Domain::Payments, [(Epoch(0), secret(1))]);
    assert!(seen.insert(key(&of_payments, place(0, Field::Name, 0), 7)));
    assert!(!seen.contains(&[7; 32]) && !seen.contains(&[1; 32]));
}

#[test]
fn each_half_counts_from_its_epoch_on() {
    let (none, first, both) = (Halves::none(DOMAIN), halves(&[(2, 1)]), halves(&[(2, 1), (5, 2)]));
    let key = |halves, epoch| key(halves, place(3, Field::Name, epoch), 7);
    for epoch in [0, 1] {
        assert_eq!((key(&none, epoch), key(&both, epoch)), ([7; 32], [7; 32]), "before any half");
    }
    for epoch in [2, 3, 4] {
        assert_eq!(key(&first, epoch), key(&both, epoch));
        assert_ne!(key(&first, epoch), [7; 32]);
    }
    for epoch in [5, 9] {
        assert_ne!(key(&first, epoch), key(&both, epoch));
        assert_ne!(key(&both, epoch), [7; 32]);
    }
    assert_eq!((none.newest(), both.newest()), (None, Some(Epoch(5))));
}

#[test]
fn the_derivation_never_changes() {
    // Data that is sealed today must open in ten years, so these values never change.
    let own = halves(&[(0, 1)]);
    assert_eq!(to_hex(&key(&own, place(7, Field::Email, 0), 9)), FIELD_KEY);
    let index = own.rest(Resting::Index, &secret(5)).unwrap();
    assert_eq!(to_hex(&index.bytes), INDEX);
    assert_eq!(to_hex(&check_value(DOMAIN, Epoch(0), &secret(1))), CHECK_VALUE);
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

/// Computed without this code, with HMAC alone (RFC 5869, sections 2.2 and 2.3).
const FIELD_KEY: &str = "e4cd4564368b987da6c64f5afd9befad83cbff931fd7257a8e554c3ac4aef53c";
/// Computed without this code, with the reference of RFC 8452 in Python's `cryptography`.
const INDEX: &str = "7271cebf46bc3fea6876001f93db392840232c8f05eee2a1362cad7ed4110d66bf91c8b45bf1d67be7f106168b02dd0b";
/// Computed without this code, with HMAC alone.
const CHECK_VALUE: &str = "6296ee162dfec9e7b87e508ba3ff95492b0539e8ed7ff56ebae96786feef16b0";

proptest! {
    #[test]
    fn bytes_at_rest_open_at_their_place_alone(
        bytes: [u8; 32], record: u32, flip in 0_usize..48,
    ) {
        let (own, other) = (halves(&[(0, 1), (3, 2)]), halves(&[(0, 1), (3, 9)]));
        let here = Resting::Verifier(Record(record));
        let at_rest = own.rest(here, &KeyBytes::new(bytes)).unwrap();
        prop_assert_eq!((at_rest.half, at_rest.bytes.len()), (Some(Epoch(3)), 48));
        let opened = own.open(here, &at_rest);
        prop_assert_eq!(opened.map(|of| *of.expose()).ok(), Some(bytes));
        let elsewhere = [Resting::Verifier(Record(record ^ 1)), Resting::Index];
        for place in elsewhere {
            prop_assert!(own.open(place, &at_rest).is_err());
        }
        prop_assert!(other.open(here, &at_rest).is_err());
        let mut changed = at_rest.clone();
        changed.bytes[flip] ^= 1;
        prop_assert!(own.open(here, &changed).is_err());
        for half in [Some(Epoch(0)), None] {
            let relabelled = AtRest { half, ..at_rest.clone() };
            prop_assert!(own.open(here, &relabelled).is_err());
        }
    }
}

#[test]
fn an_index_is_found_in_every_form_that_it_may_have() {
    let index = secret(5);
    let (none, moved, whole) = (Halves::none(DOMAIN), halves(&[(1, 1)]), halves(&[(0, 1), (4, 2)]));
    let bare = AtRest { half: None, bytes: vec![5; 32] };
    assert_eq!(none.forms(&index).unwrap(), vec![bare.clone()]);
    assert_eq!(none.rest(Resting::Index, &index).unwrap(), bare);
    let [new, old] = moved.forms(&index).unwrap().try_into().unwrap();
    assert_eq!((old, &new), (bare, &moved.rest(Resting::Index, &index).unwrap()));
    let before = halves(&[(0, 1)]).rest(Resting::Index, &index).unwrap();
    let [new, old] = whole.forms(&index).unwrap().try_into().unwrap();
    assert_eq!((new, old), (whole.rest(Resting::Index, &index).unwrap(), before));
    for form in whole.forms(&index).unwrap() {
        assert_eq!(whole.open(Resting::Index, &form).unwrap().expose(), index.expose());
    }
    let lost = AtRest { half: Some(Epoch(2)), bytes: vec![0; 48] };
    assert!(matches!(whole.open(Resting::Index, &lost), Err(VaultError::NoHalf(Epoch(2)))));
}

#[test]
fn a_field_that_was_sealed_under_both_halves_does_not_open_under_one() {
    let (own, part) = (halves(&[(0, 1)]), FieldKey(secret(7)));
    let here = place(3, Field::Name, 0);
    let key = own.combine(here, part.clone());
    let sealed = here.seal(&key, &Personal::new("Ada Lovelace"), &SeededRng::new(1));
    assert_eq!(here.open(&key, &sealed).unwrap().expose(), "Ada Lovelace");
    for wrong in [part.clone(), FieldKey(secret(1)), halves(&[(0, 2)]).combine(here, part)] {
        assert!(here.open(&wrong, &sealed).is_err());
    }
}

#[test]
fn nothing_bare_opens_where_a_half_was_there_from_the_first_epoch_on() {
    let bare = AtRest { half: None, bytes: vec![5; 32] };
    let place = Resting::Verifier(Record(1));
    assert!(Halves::none(DOMAIN).open(place, &bare).is_ok());
    assert!(halves(&[(1, 1)]).open(place, &bare).is_ok(), "customers may still have to move");
    assert!(halves(&[(0, 1)]).open(place, &bare).is_err());
}

#[test]
fn once_all_rests_under_the_newest_half_nothing_else_opens() {
    let (old, own) = (halves(&[(1, 1)]), halves(&[(1, 1), (3, 2)]));
    let place = Resting::Verifier(Record(1));
    let earlier = [AtRest { half: None, bytes: vec![5; 32] }, old.rest(place, &secret(5)).unwrap()];
    assert!(earlier.iter().all(|of| own.open(place, of).is_ok()));
    assert_eq!(own.forms(&secret(5)).unwrap().len(), 3);
    own.complete();
    assert!(earlier.iter().all(|of| own.open(place, of).is_err()));
    assert!(own.open(place, &own.rest(place, &secret(5)).unwrap()).is_ok());
    let forms = own.forms(&secret(5)).unwrap();
    assert_eq!(forms, [own.rest(Resting::Index, &secret(5)).unwrap()]);
}

#[test]
fn no_key_of_an_earlier_half_seals_once_a_half_has_begun() {
    let own = halves(&[(2, 1), (5, 2)]);
    let check = |epoch| own.check_sealing(Epoch(epoch)).is_ok();
    assert!(check(0) && check(4), "the half from 2 has begun");
    assert!(check(2) && !check(1) && !check(0));
    own.begin(Epoch(6));
    assert!(check(5) && !check(4));
    assert_eq!([1, 4, 9].map(|epoch| own.of(Epoch(epoch))), [None, Some(Epoch(2)), Some(Epoch(5))]);
    assert!(Halves::none(DOMAIN).check_sealing(Epoch(0)).is_ok());
}
