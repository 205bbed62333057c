//! The truth with which the exposure is compared: everything that a host got.

use std::collections::BTreeMap;

use accounts_api::{CustomerFields, ReadCustomers};
use cofferdam_core::{CustomerNumber, Domain, Field, Record};
use roaring::RoaringBitmap;

use crate::error::DrillError;

/// The records of which a host got each field.
pub type Fields = BTreeMap<Field, RoaringBitmap>;

/// Everything that a host got, field by field and record by record.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// The fields that were released to the host.
    pub read: Fields,
    /// The fields that were typed at the host, the addresses by which it found customers, and the
    /// sessions that were opened there.
    pub presented: Fields,
    /// The fields that the host asked for and that were not there.
    pub unset: Fields,
}

impl Tally {
    /// Adds a call to read, and the answer of `accounts`: the fields that it has were read, and the
    /// host knows that the others are not there. `record` finds the record behind a customer number.
    pub fn add_answer(
        &mut self,
        asked: &ReadCustomers,
        customers: &[CustomerFields],
        record: impl Fn(CustomerNumber) -> Result<Record, DrillError>,
    ) -> Result<(), DrillError> {
        let answered: BTreeMap<_, _> = customers.iter().map(|of| (of.record, &of.fields)).collect();
        for number in &asked.records {
            let record = record(*number)?;
            for field in asked.fields.iter() {
                let read = answered.get(number).is_some_and(|fields| fields.contains_key(&field));
                let fields = if read { &mut self.read } else { &mut self.unset };
                fields.entry(field).or_default().insert(record.0);
            }
        }
        Ok(())
    }

    /// Adds a field that was released.
    pub fn add_read(&mut self, field: Field, record: Record) {
        self.read.entry(field).or_default().insert(record.0);
    }

    /// Adds an address and a password that were typed.
    pub fn add_typed(&mut self, record: Record) {
        for field in [Field::Email, Field::Password] {
            self.add_presented(field, record);
        }
    }

    /// Adds a customer whose password a fallen `accounts` set. It can sign in as the customer, so everything
    /// that is sealed counts as read.
    pub fn add_enrolled(&mut self, record: Record) {
        let sealed = |field: &&Field| {
            field.domain() == Domain::Accounts && !matches!(field, Field::Password | Field::Session)
        };
        for field in Field::ALL.iter().filter(sealed) {
            self.add_read(*field, record);
        }
        self.add_typed(record);
    }

    /// Adds a session that was opened.
    pub fn add_session(&mut self, record: Record) {
        self.add_presented(Field::Session, record);
    }

    /// Adds a field that was typed or opened.
    pub fn add_presented(&mut self, field: Field, record: Record) {
        self.presented.entry(field).or_default().insert(record.0);
    }

    /// Adds another tally.
    pub fn add(&mut self, other: &Self) {
        for (all, more) in [
            (&mut self.read, &other.read),
            (&mut self.presented, &other.presented),
            (&mut self.unset, &other.unset),
        ] {
            for (field, records) in more {
                *all.entry(*field).or_default() |= records;
            }
        }
    }

    /// Every record of which a field was released.
    pub fn people(&self) -> RoaringBitmap {
        self.read.values().fold(RoaringBitmap::new(), |all, records| all | records)
    }
}
