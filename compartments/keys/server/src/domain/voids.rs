//! The void orders that `keys` knows. It refuses void passwords and the tickets of ended sessions itself:
//! root on `accounts` can't undo an order with an old table.

use cofferdam_core::{Record, Sha256, Timestamp};
use jiff::SignedDuration;
use roaring::RoaringBitmap;

/// The time for which an order lets its customers set passwords outside the budget.
const RAISED: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The identity of an order: SHA-256 over the incident, the instant and the set. The order and its log
/// entry give the same.
pub type VoidId = Sha256;

/// A void order.
#[derive(Debug, Clone, PartialEq)]
pub struct Void {
    /// The order's identity.
    pub id: VoidId,
    /// Credentials that were set up to this instant are void.
    pub set_before: Timestamp,
    /// Sessions that were opened up to this instant are over. Of an order that people signed, it is the
    /// instant at which `keys` approved it.
    pub opened_before: Timestamp,
    /// The customers whose passwords are void and whose sessions are over.
    pub whose: Whose,
}

/// The customers of a void order.
#[derive(Debug, Clone, PartialEq)]
pub enum Whose {
    /// Every customer of `accounts`.
    Everybody,
    /// The named customers. A set that people signed is empty until `accounts` names them.
    Some(RoaringBitmap),
}

impl Whose {
    fn has(&self, record: Record) -> bool {
        match self {
            Self::Everybody => true,
            Self::Some(records) => records.contains(record.0),
        }
    }
}

/// Every void order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Voids(Vec<Void>);

impl Voids {
    /// Takes the orders. One that another covers wholly is left out.
    pub fn new(mut orders: Vec<Void>) -> Self {
        let all = orders.clone();
        orders.retain(|of| !Self::is_covered(of, &all));
        Self(orders)
    }

    fn is_covered(of: &Void, orders: &[Void]) -> bool {
        orders.iter().any(|other| {
            other.whose == Whose::Everybody
                && other.id != of.id
                && other.set_before >= of.set_before
                && other.opened_before > of.opened_before
        })
    }

    /// Whether the password of a customer, set at `set_at`, is void.
    pub fn void_password(&self, record: Record, set_at: Timestamp) -> bool {
        self.0.iter().any(|of| set_at <= of.set_before && of.whose.has(record))
    }

    /// Whether the session of a customer, whose ticket was given at `given`, is over.
    pub fn end_session(&self, record: Record, given: Timestamp) -> bool {
        self.0.iter().any(|of| given <= of.opened_before && of.whose.has(record))
    }

    /// The orders of the last thirty days that cover a customer.
    pub fn covering(&self, record: Record, now: Timestamp) -> impl Iterator<Item = VoidId> {
        let recent = move |of: &&Void| now.duration_since(of.opened_before) < RAISED;
        self.0.iter().filter(recent).filter(move |of| of.whose.has(record)).map(|of| of.id)
    }
}

/// The identity of an order over everybody (`None`) or over a set.
pub fn void_id(incident: u32, set_before: Timestamp, set: Option<Sha256>) -> VoidId {
    let set = set.as_ref().map_or(&[][..], |Sha256(set)| set);
    let (incident, instant) = (incident.to_be_bytes(), set_before.as_millisecond().to_be_bytes());
    Sha256::of(&[incident.as_slice(), &instant, set].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn order(n: u8, set_before: i64, opened_before: i64, records: Option<&[u32]>) -> Void {
        let whose = records.map_or(Whose::Everybody, |of| Whose::Some(of.iter().collect()));
        let (set_before, opened_before) = (at(set_before), at(opened_before));
        Void { id: Sha256([n; 32]), set_before, opened_before, whose }
    }

    #[test]
    fn an_order_covers_its_customers_up_to_its_instants() {
        let voids = Voids::new(vec![order(1, 10, 20, Some(&[1, 2])), order(2, 5, 6, None)]);
        for (record, second, void) in [(1, 10, true), (1, 11, false), (3, 5, true), (3, 6, false)] {
            assert_eq!(voids.void_password(Record(record), at(second)), void, "{record} {second}");
        }
        for (record, second, over) in [(1, 20, true), (1, 21, false), (3, 6, true), (3, 7, false)] {
            assert_eq!(voids.end_session(Record(record), at(second)), over, "{record} {second}");
        }
    }

    #[test]
    fn an_order_covers_its_customers_for_thirty_days() {
        let voids = Voids::new(vec![order(1, 10, 20, Some(&[1])), order(2, 5, 6, None)]);
        let by = |record, second| -> Vec<u8> {
            voids.covering(Record(record), at(second)).map(|id| id.0[0]).collect()
        };
        assert_eq!([by(1, 30), by(3, 30)], [vec![1, 2], vec![2]]);
        assert_eq!(by(1, 30 * 86_400 + 10), [1]);
        assert!(by(3, 30 * 86_400 + 10).is_empty());
    }

    #[test]
    fn an_order_that_everything_of_another_covers_is_left_out() {
        let all = [order(1, 5, 6, Some(&[1])), order(2, 5, 7, None), order(3, 4, 9, None)];
        let voids = Voids::new(all.to_vec());
        let kept: Vec<_> = voids.0.iter().map(|of| of.id.0[0]).collect();
        assert_eq!(kept, [2, 3]);
    }

    #[test]
    fn orders_have_identities_of_their_own() {
        let set = |n| Some(Sha256([n; 32]));
        let ids = [(1, 5, None), (2, 5, None), (1, 6, None), (1, 5, set(0)), (1, 5, set(1))]
            .map(|(incident, second, set)| void_id(incident, at(second), set));
        for (n, id) in ids.iter().enumerate() {
            assert!(!ids[..n].contains(id), "{n}");
        }
    }
}
