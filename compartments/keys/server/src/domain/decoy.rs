//! Decoys: record numbers of customers who do not exist, chosen by a keyed function, so that
//! nothing in the data tells them from customers.

use aws_lc_rs::hmac;
use cofferdam_core::{CallerName, Domain, KeyBytes, Operation, Record, Timestamp};
use keys_api::{Entry, Event, Search};

/// Tells decoys from customers.
pub struct Decoys {
    key: hmac::Key,
    one_in: u32,
}

/// A decoy that a caller touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// The instant of the touch.
    pub at: Timestamp,
    /// The caller that touched it.
    pub caller: CallerName,
    /// The record number of the decoy.
    pub record: Record,
    /// The way in which the caller touched it.
    pub how: How,
}

/// The way in which a decoy was touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// `accounts` set its first password, which fills it.
    Filled,
    /// Its keys were asked for, to read it.
    Opened,
    /// A password of it was presented.
    Presented,
    /// It was looked for by its address.
    LookedUp,
}

impl Decoys {
    /// Makes the function for a key. About one record in `one_in` is a decoy.
    pub fn new(key: &KeyBytes, one_in: u32) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key.expose()), one_in: one_in.max(2) }
    }

    /// The number of records of which about one is a decoy.
    pub const fn one_in(&self) -> u32 {
        self.one_in
    }

    /// Whether `record` is a decoy. Only customers have decoys.
    pub fn is_decoy(&self, domain: Domain, record: Record) -> bool {
        if domain != Domain::Accounts || record == Record::NOBODY {
            return false;
        }
        let tag = hmac::sign(&self.key, &record.0.to_be_bytes());
        let head = tag.as_ref().first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        head < u64::MAX / u64::from(self.one_in)
    }

    /// The decoys that an entry of the log touched. Sealing data for a decoy fills it, and is no
    /// touch.
    pub fn touched_by(&self, entry: Entry) -> Vec<Touched> {
        let at = entry.at;
        let (caller, records, how) = match entry.event {
            Event::Released {
                caller,
                domain: Domain::Accounts,
                operation: Operation::Release | Operation::ReleasePresent,
                records,
                ..
            }
            | Event::Missed { caller, domain: Domain::Accounts, alone: true, records, .. } => {
                (caller, records, How::Opened)
            }
            Event::Enrolled { caller, records, attested: false, .. } => {
                (caller, records, How::Filled)
            }
            Event::Hardened { caller, records, .. } | Event::Enrolled { caller, records, .. } => {
                (caller, records, How::Presented)
            }
            // A sign-in is told by its password, and mail to a decoy by an alarm of its own.
            Event::Found {
                caller,
                search: Search::Find | Search::Reset | Search::SignUp,
                records,
                ..
            } => (caller, records, How::LookedUp),
            _ => return Vec::new(),
        };
        let records = records.as_slice().iter().copied();
        let decoys = records.filter(|record| self.is_decoy(Domain::Accounts, *record));
        decoys.map(|record| Touched { at, caller: caller.clone(), record, how }).collect()
    }
}

#[cfg(test)]
mod tests {
    use cofferdam_core::{Epoch, FieldSet};
    use keys_api::{RecordList, Ticket};

    use super::*;

    #[test]
    fn about_one_record_in_so_many_is_a_decoy() {
        let decoys = Decoys::new(&KeyBytes::new([1; 32]), 100);
        let others = Decoys::new(&KeyBytes::new([2; 32]), 100);
        let count = |of: &Decoys| {
            (0..100_000).filter(|r| of.is_decoy(Domain::Accounts, Record(*r))).count()
        };
        assert!((900..1_100).contains(&count(&decoys)), "{}", count(&decoys));
        let both = (0..100_000).filter(|r| {
            decoys.is_decoy(Domain::Accounts, Record(*r))
                && others.is_decoy(Domain::Accounts, Record(*r))
        });
        assert!(both.count() < 50, "another key must choose other records");
        assert!(!(0..100_000).any(|r| decoys.is_decoy(Domain::Payments, Record(r))));
        let half = Decoys::new(&KeyBytes::new([1; 32]), 0);
        assert!((0..1_000).any(|r| !half.is_decoy(Domain::Accounts, Record(r))));
    }

    #[test]
    fn nobody_is_no_decoy() {
        for key in 0..40 {
            let decoys = Decoys::new(&KeyBytes::new([key; 32]), 2);
            assert!(!decoys.is_decoy(Domain::Accounts, Record::NOBODY));
        }
    }

    #[test]
    fn a_decoy_is_touched_by_reading_it_by_its_password_and_by_its_address() {
        let decoys = Decoys::new(&KeyBytes::new([1; 32]), 10);
        let (caller, via): (CallerName, CallerName) =
            ("web-1".parse().unwrap(), "accounts".parse().unwrap());
        let at: Timestamp = "2012-01-15T04:00:00Z".parse().unwrap();
        let hundred = RecordList::new((0..100).map(Record).collect());
        let all = hundred.as_slice().iter().copied();
        let all: Vec<_> = all.filter(|r| decoys.is_decoy(Domain::Accounts, *r)).collect();
        assert!(!all.is_empty());
        let released = |domain, operation| Event::Released {
            caller: caller.clone(),
            via: via.clone(),
            domain,
            operation,
            fields: FieldSet::EMPTY,
            epoch: Epoch(0),
            records: hundred.clone(),
            warrant: None,
        };
        let touched = |event| decoys.touched_by(Entry { at, event });
        let expected = |how| -> Vec<_> {
            let touched =
                |record: &Record| Touched { at, caller: caller.clone(), record: *record, how };
            all.iter().map(touched).collect()
        };
        assert_eq!(touched(released(Domain::Accounts, Operation::Release)), expected(How::Opened));
        let hardened =
            Event::Hardened { caller: caller.clone(), via: via.clone(), records: hundred.clone() };
        assert_eq!(touched(hardened), expected(How::Presented));
        let missed = |alone| Event::Missed {
            caller: caller.clone(),
            via: via.clone(),
            domain: Domain::Accounts,
            fields: FieldSet::EMPTY,
            records: hundred.clone(),
            alone,
            warrant: None,
        };
        assert_eq!(touched(missed(true)), expected(How::Opened));
        let found = |search| Event::Found {
            caller: caller.clone(),
            via: via.clone(),
            search,
            ticket: Ticket(1),
            records: hundred.clone(),
        };
        for search in [Search::Find, Search::Reset, Search::SignUp] {
            assert_eq!(touched(found(search)), expected(How::LookedUp));
        }
        for event in [
            missed(false),
            found(Search::SignIn),
            found(Search::Mail),
            released(Domain::Accounts, Operation::Seal),
            released(Domain::Accounts, Operation::Reseal),
            released(Domain::Payments, Operation::Release),
            Event::Started,
        ] {
            assert_eq!(touched(event), []);
        }
    }
}
