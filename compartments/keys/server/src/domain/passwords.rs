//! Comparing a typed password with a verifier.

use cofferdam_core::{KeyBytes, Record, Timestamp};
use keys_api::Verifier;
use subtle::ConstantTimeEq;

use super::derive::KeyRing;
use super::voids::Voids;

/// A typed password, as a compartment brings it.
pub struct Typed<'a> {
    /// The customer for whom the password was typed; [`Record::NOBODY`] for an unknown address.
    pub record: Record,
    /// The hash of the typed password by the stored scheme.
    pub hash: &'a KeyBytes,
    /// The verifier that the compartment stores.
    pub stored: &'a Verifier,
    /// The hash by the scheme of new passwords, if the stored one is older.
    pub renew: Option<&'a KeyBytes>,
}

/// A right password.
#[derive(Debug)]
pub struct Right {
    /// The verifier that replaces the stored one, if that is of an older kind.
    pub renewed: Option<Verifier>,
}

/// Compares in constant time. `None` for a wrong password, a void one, and nobody.
///
/// A verifier that is not bound to its instant is from before `bound_since`, whatever instant the
/// compartment names: so an order that is known since then covers it.
pub fn compare(
    ring: &KeyRing,
    typed: &Typed<'_>,
    bound_since: Timestamp,
    voids: &Voids,
) -> Option<Right> {
    let Typed { record, hash, stored, renew } = typed;
    let bound = ring.verifier(*record, stored.set_at, hash);
    let unbound = ring.unbound_verifier(*record, hash);
    let is_bound = bool::from(bound.expose().ct_eq(stored.bytes.expose()));
    let is_unbound = bool::from(unbound.expose().ct_eq(stored.bytes.expose()));
    let set_at = if is_bound { stored.set_at } else { stored.set_at.min(bound_since) };
    let void = voids.void_password(*record, set_at);
    if *record == Record::NOBODY || !(is_bound || is_unbound) || void {
        return None;
    }
    // The password is the same, so a void order still covers the new verifier.
    let newer = renew.or_else(|| (!is_bound).then_some(*hash));
    let renewed =
        newer.map(|hash| Verifier { bytes: ring.verifier(*record, set_at, hash), set_at });
    Some(Right { renewed })
}

#[cfg(test)]
mod tests {
    use cofferdam_core::Sha256;

    use super::super::voids::{Void, Whose};
    use super::*;

    const RECORD: Record = Record(7);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn key(n: u8) -> KeyBytes {
        KeyBytes::new([n; 32])
    }

    fn ring() -> KeyRing {
        KeyRing::new(&key(3), &key(4))
    }

    fn voids(second: i64) -> Voids {
        let (set_before, opened_before) = (at(second), at(1_000));
        Voids::new(vec![Void {
            id: Sha256([1; 32]),
            set_before,
            opened_before,
            whose: Whose::Everybody,
        }])
    }

    fn compared(
        record: Record,
        hash: u8,
        stored: &Verifier,
        void_until: Option<i64>,
    ) -> Option<Right> {
        let hash = key(hash);
        let typed = Typed { record, hash: &hash, stored, renew: None };
        let voids = void_until.map_or_else(Voids::default, voids);
        compare(&ring(), &typed, at(500), &voids)
    }

    #[test]
    fn only_the_password_of_the_customer_set_at_the_instant_is_right() {
        let bytes = ring().verifier(RECORD, at(600), &key(9));
        let stored = Verifier { bytes, set_at: at(600) };
        assert!(compared(RECORD, 9, &stored, None).is_some_and(|of| of.renewed.is_none()));
        assert!(compared(RECORD, 8, &stored, None).is_none());
        assert!(compared(Record(8), 9, &stored, None).is_none());
        let later = Verifier { set_at: at(601), ..stored.clone() };
        assert!(compared(RECORD, 9, &later, None).is_none(), "an instant can't be moved");
        assert!(compared(RECORD, 9, &stored, Some(600)).is_none(), "void");
        assert!(compared(RECORD, 9, &stored, Some(599)).is_some());
        let nobody = ring().verifier(Record::NOBODY, at(600), &key(9));
        let nobody = Verifier { bytes: nobody, set_at: at(600) };
        assert!(compared(Record::NOBODY, 9, &nobody, None).is_none());
    }

    #[test]
    fn a_verifier_from_before_is_renewed_and_never_counts_as_newer_than_the_change() {
        let bytes = ring().unbound_verifier(RECORD, &key(9));
        for (said, counts) in [(400, 400), (600, 500), (9_999, 500)] {
            let stored = Verifier { bytes: bytes.clone(), set_at: at(said) };
            let renewed = compared(RECORD, 9, &stored, None).unwrap().renewed.unwrap();
            assert_eq!(renewed.set_at, at(counts));
            let expected = ring().verifier(RECORD, at(counts), &key(9));
            assert_eq!(renewed.bytes.expose(), expected.expose());
            assert!(compared(RECORD, 9, &stored, Some(500)).is_none(), "void, whatever is said");
        }
    }

    #[test]
    fn a_newer_scheme_takes_over_at_the_same_instant() {
        let bytes = ring().verifier(RECORD, at(600), &key(9));
        let stored = Verifier { bytes, set_at: at(600) };
        let (hash, renew) = (key(9), key(10));
        let typed = Typed { record: RECORD, hash: &hash, stored: &stored, renew: Some(&renew) };
        let renewed = compare(&ring(), &typed, at(500), &Voids::default()).unwrap().renewed;
        let renewed = renewed.unwrap();
        assert_eq!(renewed.set_at, at(600));
        assert_eq!(renewed.bytes.expose(), ring().verifier(RECORD, at(600), &renew).expose());
    }
}
