//! The truth with which the investigation is compared: the data that left the shop.

use std::collections::BTreeMap;

use roaring::RoaringBitmap;

use super::server::CustomerView;

/// The fields of a customer, in the order of the table's columns.
pub const FIELDS: [&str; 8] = [
    "name",
    "email",
    "phone",
    "billing_address",
    "shipping_address",
    "card_last4",
    "password_hash",
    "card_number",
];

/// The customers whose field was seen, for each of [`FIELDS`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally([RoaringBitmap; FIELDS.len()]);

impl Tally {
    /// Adds the fields of a customer that are set in `filled`.
    pub fn add_fields(&mut self, customer: u32, filled: [bool; FIELDS.len()]) {
        for (seen, _) in self.0.iter_mut().zip(filled).filter(|(_, filled)| *filled) {
            seen.insert(customer);
        }
    }

    /// Adds the fields that a page shows: all but the last two.
    pub fn add_view(&mut self, view: &CustomerView) {
        let card = view.card_last4.is_some();
        self.add_fields(view.id, [true, true, true, true, true, card, false, false]);
    }

    /// Adds another tally.
    pub fn add(&mut self, other: &Self) {
        for (seen, more) in self.0.iter_mut().zip(&other.0) {
            *seen |= more;
        }
    }

    /// The number of customers for each field.
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        FIELDS.into_iter().zip(self.0.iter().map(RoaringBitmap::len)).collect()
    }

    /// Every customer of whom a field was seen.
    pub fn people(&self) -> RoaringBitmap {
        self.0.iter().fold(RoaringBitmap::new(), |all, seen| all | seen)
    }
}
