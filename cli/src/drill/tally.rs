//! The truth that the exposure is tested against: what a host really got.

use std::collections::BTreeMap;

use accounts_api::CustomerFields;
use cofferdam_core::{Field, Record};
use roaring::RoaringBitmap;

/// Fields, and the records of whom a host got them.
pub type Fields = BTreeMap<Field, RoaringBitmap>;

/// What came to a host, record by record and field by field.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// The fields that it received.
    pub read: Fields,
    /// What was typed there, and the sessions that passed through it.
    pub presented: Fields,
}

impl Tally {
    /// Writes down an answer.
    pub fn received(&mut self, customers: &[CustomerFields]) {
        for customer in customers {
            for field in customer.fields.keys() {
                self.read(*field, customer.record);
            }
        }
    }

    /// Writes down that a field was read.
    pub fn read(&mut self, field: Field, record: Record) {
        self.read.entry(field).or_default().insert(record.0);
    }

    /// Writes down that somebody typed a password.
    pub fn typed(&mut self, record: Record) {
        for field in [Field::Email, Field::Password] {
            self.showed(field, record);
        }
    }

    /// Writes down that a session was opened.
    pub fn opened(&mut self, record: Record) {
        self.showed(Field::Session, record);
    }

    /// Writes down that somebody showed something.
    pub fn showed(&mut self, field: Field, record: Record) {
        self.presented.entry(field).or_default().insert(record.0);
    }

    /// Adds what another tally holds.
    pub fn add(&mut self, other: &Self) {
        for (all, more) in [(&mut self.read, &other.read), (&mut self.presented, &other.presented)]
        {
            for (field, records) in more {
                *all.entry(*field).or_default() |= records;
            }
        }
    }

    /// Everybody of whom a field was read.
    pub fn people(&self) -> RoaringBitmap {
        self.read.values().fold(RoaringBitmap::new(), |all, records| all | records)
    }
}
