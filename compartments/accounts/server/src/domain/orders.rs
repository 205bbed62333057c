//! The orders of `response` that hold now, as every request looks at them.

use std::collections::BTreeSet;

use cofferdam_core::{CallerName, Record, Timestamp};
use roaring::RoaringBitmap;

/// What was ordered. Only the latest instant of each kind matters: it covers the earlier ones.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Orders {
    /// Credentials set at or before this are void.
    pub void_until: Option<Timestamp>,
    /// Sessions opened at or before this are ended.
    pub revoked_until: Option<Timestamp>,
    /// For some customers, credentials and sessions up to an instant: by instant, each once.
    sets: Vec<(Timestamp, RoaringBitmap)>,
    /// Callers that are refused everything.
    pub frozen: BTreeSet<CallerName>,
}

impl Orders {
    /// Whether the credential of `record`, set at `set_at`, is void.
    #[must_use]
    pub fn voids(&self, record: Record, set_at: Timestamp) -> bool {
        self.void_until.is_some_and(|until| set_at <= until) || self.in_set(record, set_at)
    }

    /// Whether the session of `record`, opened at `opened`, is ended.
    #[must_use]
    pub fn revokes(&self, record: Record, opened: Timestamp) -> bool {
        self.revoked_until.is_some_and(|until| opened <= until) || self.in_set(record, opened)
    }

    fn in_set(&self, record: Record, at: Timestamp) -> bool {
        self.sets.iter().any(|(until, records)| at <= *until && records.contains(record.0))
    }

    /// Adds a void order over everybody.
    pub fn void(&mut self, set_before: Timestamp) {
        self.void_until = self.void_until.max(Some(set_before));
        self.tidy();
    }

    /// Adds a void order over some customers, whose sessions end as well.
    pub fn void_some(&mut self, until: Timestamp, records: RoaringBitmap) {
        for (earlier, of) in &mut self.sets {
            // A later order over the same customers covers this one.
            if *earlier <= until {
                *of -= &records;
            }
        }
        self.sets.push((until, records));
        self.tidy();
    }

    /// Adds a revoke order.
    pub fn revoke(&mut self, opened_before: Timestamp) {
        self.revoked_until = self.revoked_until.max(Some(opened_before));
        self.tidy();
    }

    /// Freezes or thaws a caller.
    pub fn freeze(&mut self, caller: CallerName, frozen: bool) {
        if frozen {
            self.frozen.insert(caller);
        } else {
            self.frozen.remove(&caller);
        }
    }

    /// Drops sets that orders over everybody cover.
    fn tidy(&mut self) {
        let covered = self.void_until.min(self.revoked_until);
        self.sets.retain(|(until, records)| {
            !records.is_empty() && covered.is_none_or(|covered| *until > covered)
        });
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

    proptest! {
        /// Whatever the orders and their order: what is void is what some order voids.
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
                        orders.void_some(at(*until), records.iter().copied().collect());
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
