//! The truth that the investigation is held against: what really left the estate.

use std::collections::BTreeMap;

use roaring::RoaringBitmap;

use super::server::CustomerView;

/// What is kept about a customer, in the order of the table's columns.
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

/// Whose field was seen, for each of [`FIELDS`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally([RoaringBitmap; FIELDS.len()]);

impl Tally {
    /// Writes down which fields of a customer were there to be seen.
    pub fn saw(&mut self, customer: u32, there: [bool; FIELDS.len()]) {
        for (seen, _) in self.0.iter_mut().zip(there).filter(|(_, there)| *there) {
            seen.insert(customer);
        }
    }

    /// Writes down what a page showed: all but the last two fields.
    pub fn viewed(&mut self, view: &CustomerView) {
        let card = view.card_last4.is_some();
        self.saw(view.id, [true, true, true, true, true, card, false, false]);
    }

    /// Adds what another tally holds.
    pub fn add(&mut self, other: &Self) {
        for (seen, more) in self.0.iter_mut().zip(&other.0) {
            *seen |= more;
        }
    }

    /// Customers for each field.
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        FIELDS.into_iter().zip(self.0.iter().map(RoaringBitmap::len)).collect()
    }

    /// Everybody of whom a field was seen.
    pub fn people(&self) -> RoaringBitmap {
        self.0.iter().fold(RoaringBitmap::new(), |all, seen| all | seen)
    }
}
