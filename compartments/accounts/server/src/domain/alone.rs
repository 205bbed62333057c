//! The limit of what fewer than two people may order: in any 24 hours, over all incidents, they
//! shut out at most a tenth of the customers, and end at most a tenth of the sessions.

use jiff::SignedDuration;
use roaring::RoaringBitmap;

/// The time over which the orders are added up.
pub const SPAN: SignedDuration = SignedDuration::from_hours(24);
/// The customers, and the sessions, that one person may always shut out. In a shop of fewer than 50
/// this is more than a tenth.
const HANDFUL: u64 = 5;

/// The orders that fewer than two people gave within [`SPAN`], or one that they want to give.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ordered {
    /// The customers whose passwords became void. One who is named again counts once.
    pub customers: RoaringBitmap,
    /// The number of sessions that ended.
    pub sessions: u64,
}

/// The customers and the sessions that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whole {
    /// The number of customers.
    pub customers: u64,
    /// The number of sessions that are not over.
    pub sessions: u64,
}

/// So many customers or sessions take two people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "within 24 hours this would be {asked} of {all} {what}, and fewer than two people may shut out \
     {most}: have two people sign an order over everybody"
)]
pub struct TooMany {
    what: &'static str,
    asked: u64,
    all: u64,
    most: u64,
}

/// Checks that `next` stays within the limit, after the orders `before`.
pub fn check(before: &Ordered, next: &Ordered, whole: Whole) -> Result<(), TooMany> {
    let customers = before.customers.union_len(&next.customers);
    check_tenth("customers", customers, whole.customers)?;
    // The sessions that ended within the span were sessions too.
    let sessions = before.sessions.saturating_add(next.sessions);
    check_tenth("sessions", sessions, whole.sessions.saturating_add(before.sessions))
}

fn check_tenth(what: &'static str, asked: u64, all: u64) -> Result<(), TooMany> {
    let most = (all / 10).max(HANDFUL);
    if asked > most { Err(TooMany { what, asked, all, most }) } else { Ok(()) }
}

/// The number of customers among `records`, of which about one in `decoy_one_in` is a decoy.
/// `accounts` does not know which are decoys, so it takes off three standard deviations more than
/// are to be expected: the number is hardly ever too high.
#[must_use]
pub fn customers_among(records: u64, decoy_one_in: u32) -> u64 {
    let decoys = records.div_ceil(u64::from(decoy_one_in.max(2)));
    records.saturating_sub(decoys + 3 * (decoys.isqrt() + 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn order(customers: impl IntoIterator<Item = u32>, sessions: u64) -> Ordered {
        Ordered { customers: customers.into_iter().collect(), sessions }
    }

    #[test]
    fn one_person_shuts_out_a_tenth_in_a_day_however_it_is_cut_up() {
        let whole = Whole { customers: 2_000, sessions: 500 };
        let nothing = order([], 0);
        let first = order(0..150, 20);
        assert_eq!(check(&nothing, &order(0..200, 50), whole), Ok(()));
        assert_eq!(check(&first, &order(150..200, 0), whole), Ok(()));
        assert_eq!(check(&first, &order(100..200, 0), whole), Ok(()), "named twice counts once");
        let refused = check(&first, &order(150..201, 0), whole).unwrap_err();
        assert_eq!(refused, TooMany { what: "customers", asked: 201, all: 2_000, most: 200 });
        assert_eq!(check(&first, &order([], 32), whole), Ok(()), "20 of 520 have ended");
        let refused = check(&first, &order([], 33), whole).unwrap_err();
        assert_eq!(refused, TooMany { what: "sessions", asked: 53, all: 520, most: 52 });
    }

    #[test]
    fn a_handful_is_always_allowed() {
        let whole = Whole { customers: 3, sessions: 0 };
        assert_eq!(check(&order([], 0), &order(0..5, 5), whole), Ok(()));
        assert!(check(&order([], 0), &order(0..6, 0), whole).is_err());
        assert!(check(&order(0..5, 0), &order([7], 0), whole).is_err());
        assert!(check(&order([], 5), &order([], 1), whole).is_err());
    }

    #[test]
    fn decoys_are_no_customers() {
        for (records, one_in, customers) in [
            (0, 10_000, 0),
            (2_000, 10_000, 1_993),
            (24_000_000, 10_000, 23_997_453),
            (600, 15, 539),
            (10, 2, 0),
        ] {
            assert_eq!(customers_among(records, one_in), customers, "{records} {one_in}");
        }
    }

    proptest! {
        /// However the sets are cut, the customers shut out stay within the limit.
        #[test]
        fn no_sequence_of_orders_passes_the_limit(
            all in 0_u64..400,
            sets in prop::collection::vec((prop::collection::btree_set(0_u32..400, 0..40), 0_u64..20), 0..30),
        ) {
            let whole = Whole { customers: all, sessions: all };
            let mut done = Ordered::default();
            for (customers, sessions) in sets {
                let next = order(customers, sessions);
                if check(&done, &next, whole).is_ok() {
                    done.customers |= next.customers;
                    done.sessions += next.sessions;
                }
            }
            prop_assert!(done.customers.len() <= (all / 10).max(HANDFUL));
            prop_assert!(done.sessions <= ((all + done.sessions) / 10).max(HANDFUL));
        }
    }
}
