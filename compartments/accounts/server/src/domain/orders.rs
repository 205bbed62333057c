//! The orders of `response` in force, which every request obeys.

use std::collections::BTreeSet;

use cofferdam_core::{CallerName, Record, Timestamp};
use jiff::SignedDuration;
use roaring::RoaringBitmap;

/// The time by which the controller's clock may be ahead.
const SKEW: SignedDuration = SignedDuration::from_mins(5);
/// The instant of an order is in the future, so that the order would cover later credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the instant is in the future")]
pub struct InFuture;

/// The instant of an order. If it is a little in the future, it means now, because an order must
/// not fail when the controller's clock is slightly ahead.
pub fn past(instant: Timestamp, now: Timestamp) -> Result<Timestamp, InFuture> {
    if instant.duration_since(now) > SKEW { Err(InFuture) } else { Ok(instant.min(now)) }
}

/// The orders in force. Only the latest instant of each kind matters, because it covers the earlier
/// ones.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Orders {
    /// The instant up to which set credentials are void.
    pub void_until: Option<Timestamp>,
    /// The instant up to which opened sessions are over.
    pub revoked_until: Option<Timestamp>,
    /// The customers of orders over some, whose credentials up to an instant are void.
    void_sets: Sets,
    /// The customers of orders over some, whose sessions up to an instant are over.
    revoked_sets: Sets,
    /// The callers that are frozen.
    pub frozen: BTreeSet<CallerName>,
}

impl Orders {
    /// Whether the credential of `record`, set at `set_at`, is void.
    #[must_use]
    pub fn voids(&self, record: Record, set_at: Timestamp) -> bool {
        self.void_until.is_some_and(|until| set_at <= until) || self.void_sets.have(record, set_at)
    }

    /// Whether the session of `record`, opened at `opened`, is over.
    #[must_use]
    pub fn revokes(&self, record: Record, opened: Timestamp) -> bool {
        self.revoked_until.is_some_and(|until| opened <= until)
            || self.revoked_sets.have(record, opened)
    }

    /// Adds a void order over everybody.
    pub fn void(&mut self, set_before: Timestamp) {
        self.void_until = self.void_until.max(Some(set_before));
        self.void_sets.drop_covered(self.void_until);
    }

    /// Adds a void order over some customers, whose sessions end as well.
    pub fn void_some(
        &mut self,
        set_before: Timestamp,
        opened_before: Timestamp,
        records: RoaringBitmap,
    ) {
        self.void_sets.add(set_before, records.clone());
        self.void_sets.drop_covered(self.void_until);
        self.revoked_sets.add(opened_before, records);
        self.revoked_sets.drop_covered(self.revoked_until);
    }

    /// Adds a revoke order.
    pub fn revoke(&mut self, opened_before: Timestamp) {
        self.revoked_until = self.revoked_until.max(Some(opened_before));
        self.revoked_sets.drop_covered(self.revoked_until);
    }
}

/// Sets of customers, each up to an instant.
#[derive(Debug, Clone, Default, PartialEq)]
struct Sets(Vec<(Timestamp, RoaringBitmap)>);

impl Sets {
    fn have(&self, record: Record, at: Timestamp) -> bool {
        self.0.iter().any(|(until, records)| at <= *until && records.contains(record.0))
    }

    fn add(&mut self, until: Timestamp, records: RoaringBitmap) {
        for (earlier, of) in &mut self.0 {
            // A later order over the same customers covers the earlier one.
            if *earlier <= until {
                *of -= &records;
            }
        }
        self.0.push((until, records));
    }

    /// Drops the sets that an order over everybody covers, and empty ones.
    fn drop_covered(&mut self, everybody: Option<Timestamp>) {
        self.0.retain(|(until, records)| !records.is_empty() && Some(*until) > everybody);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn an_order_covers_its_own_instant_and_an_older_one_takes_nothing_back() {
        let one = Record(1);
        let mut orders = Orders::default();
        assert!(!orders.voids(one, at(0)) && !orders.revokes(one, at(0)));
        orders.void(at(10));
        orders.void(at(5));
        assert!(orders.voids(one, at(10)) && !orders.voids(one, at(11)));
        assert!(!orders.revokes(one, at(10)));
        orders.revoke(at(7));
        assert!(orders.revokes(one, at(7)) && !orders.revokes(one, at(8)));
    }

    #[test]
    fn an_order_means_the_past() {
        let now = at(1_000);
        for (instant, meant) in
            [(at(0), Ok(at(0))), (now, Ok(now)), (at(1_300), Ok(now)), (at(1_301), Err(InFuture))]
        {
            assert_eq!(past(instant, now), meant, "{instant}");
        }
    }

    #[test]
    fn sets_that_are_covered_are_dropped() {
        let set = || [1, 2].into_iter().collect();
        let mut orders = Orders::default();
        orders.void_some(at(5), at(7), set());
        orders.void_some(at(6), at(8), set());
        let kept = |orders: &Orders| [orders.void_sets.0.len(), orders.revoked_sets.0.len()];
        assert_eq!(kept(&orders), [1, 1], "the later order covers the same customers");
        orders.void(at(6));
        assert_eq!(kept(&orders), [0, 1]);
        orders.revoke(at(7));
        assert_eq!(kept(&orders), [0, 1], "sessions of the eighth second are not covered");
        orders.revoke(at(8));
        assert_eq!(kept(&orders), [0, 0]);
    }

    proptest! {
        /// For all orders in any sequence, a credential is void exactly if some order voids it.
        #[test]
        fn a_set_covers_exactly_its_customers(
            given in prop::collection::vec(
                (0_i64..20, prop::option::of(prop::collection::btree_set(0_u32..10, 0..6)), any::<bool>()),
                0..12,
            ),
        ) {
            let mut orders = Orders::default();
            for (until, records, revoke) in &given {
                match (records, revoke) {
                    (Some(records), _) => {
                        let records = records.iter().copied().collect();
                        orders.void_some(at(*until), at(*until), records);
                    }
                    (None, true) => orders.revoke(at(*until)),
                    (None, false) => orders.void(at(*until)),
                }
            }
            for record in 0..10 {
                for second in 0..20 {
                    let covers = |wanted: bool| given.iter().any(|(until, records, revoke)| {
                        second <= *until
                            && match records {
                                Some(records) => records.contains(&record),
                                None => *revoke == wanted,
                            }
                    });
                    prop_assert_eq!(orders.voids(Record(record), at(second)), covers(false));
                    prop_assert_eq!(orders.revokes(Record(record), at(second)), covers(true));
                }
            }
        }
    }
}
