//! The order that voids the credentials of a set of customers, with the set.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cofferdam_core::Record;
use keys_api::{CustomerSet, Signed, VoidOrder};
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

use super::error::OrderFault;

/// The order, and the customers whom its signed part names by hash and number.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoidSetOrder {
    /// The signed part.
    pub void: Signed<VoidOrder>,
    /// The customers: a Roaring bitmap in the portable serialisation, in base64.
    pub roaring: String,
}

impl VoidSetOrder {
    /// Checks that the customers are those that the signed part names, so that nobody signs for others.
    pub fn check(&self) -> Result<(), OrderFault> {
        let bytes = STANDARD.decode(&self.roaring).map_err(|_| OrderFault::OtherCustomers)?;
        let records = RoaringBitmap::deserialize_from(bytes.as_slice());
        let records = records.map_err(|_| OrderFault::OtherCustomers)?;
        let named = Some(set_of(&records));
        if self.void.order.customers == named { Ok(()) } else { Err(OrderFault::OtherCustomers) }
    }
}

/// The set of `records`, as an order names it.
pub fn set_of(records: &RoaringBitmap) -> CustomerSet {
    CustomerSet::of(records.iter().map(Record))
}

#[cfg(test)]
mod tests {
    use response_api::IncidentId;

    use crate::order::{Order, OrderFile, void_set};

    #[test]
    fn an_order_with_other_customers_than_it_names_is_not_signed() {
        let (dir, now) = (tempfile::tempdir().unwrap(), "2012-01-15T20:00:00Z".parse().unwrap());
        let path = dir.path().join("void.order");
        let order = |records: &[u32]| {
            let records = records.iter().copied().collect();
            void_set(IncidentId(1), &records, now, None, now).unwrap()
        };
        let (good, other) = (order(&[3, 70_000]), order(&[3, 70_001]));
        good.write(&path).unwrap();
        let words = OrderFile::read(&path).unwrap().words(None).unwrap();
        assert!(words[0].starts_with("Void the credentials of 2 customers"), "{words:?}");
        let (Order::VoidSet(mut mixed), Order::VoidSet(other)) = (good.order, other.order) else {
            panic!("another kind of order")
        };
        mixed.roaring = other.roaring;
        OrderFile { order: Order::VoidSet(mixed) }.write(&path).unwrap();
        let refused = OrderFile::read(&path).unwrap_err().to_string();
        assert!(refused.contains("customers"), "{refused}");
    }
}
