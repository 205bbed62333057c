//! The truth that the exposure is tested against: what a host really got.

use std::collections::BTreeMap;

use accounts_api::CustomerFields;
use cofferdam_core::{Field, Record};
use roaring::RoaringBitmap;

/// What came to a host, record by record and field by field.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// The fields that it received.
    pub read: BTreeMap<Field, RoaringBitmap>,
    /// Those whose password was typed there.
    pub presented: RoaringBitmap,
    /// Those whose session was opened there.
    pub sessions: RoaringBitmap,
}

impl Tally {
    /// Writes down an answer.
    pub fn received(&mut self, customers: &[CustomerFields]) {
        for customer in customers {
            for field in customer.fields.keys() {
                self.read.entry(*field).or_default().insert(customer.record.0);
            }
        }
    }

    /// Writes down that somebody typed a password.
    pub fn typed(&mut self, record: Record) {
        self.presented.insert(record.0);
    }

    /// Writes down that a session was opened.
    pub fn opened(&mut self, record: Record) {
        self.sessions.insert(record.0);
    }

    /// Adds what another tally holds.
    pub fn add(&mut self, other: &Self) {
        for (field, records) in &other.read {
            *self.read.entry(*field).or_default() |= records;
        }
        self.presented |= &other.presented;
        self.sessions |= &other.sessions;
    }

    /// Everybody of whom a field was read.
    pub fn people(&self) -> RoaringBitmap {
        self.read.values().fold(RoaringBitmap::new(), |all, records| all | records)
    }
}
