//! Record numbers in ascending order, and the decoys among the next ones.

use std::collections::VecDeque;

use cofferdam_core::Record;

/// A record number that is about to be given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The record number.
    pub record: Record,
    /// Whether the record is a decoy.
    pub decoy: bool,
}

/// The next record numbers, ascending.
#[derive(Debug, Default)]
pub struct Upcoming(VecDeque<Place>);

impl Upcoming {
    /// Adds `count` numbers from `from` on, of which `decoys` are decoys.
    pub fn extend(&mut self, from: Record, count: u32, decoys: &[Record]) {
        let records = (from.0..from.0 + count).map(Record);
        let place = |record| Place { record, decoy: decoys.binary_search(&record).is_ok() };
        self.0.extend(records.map(place));
    }

    /// The number of customers who can get a number.
    #[must_use]
    pub fn customers(&self) -> usize {
        self.0.iter().filter(|place| !place.decoy).count()
    }

    /// The number of decoys before the record of the last of `customers` to come.
    #[must_use]
    pub fn decoys_before(&self, customers: usize) -> usize {
        let mut left = customers;
        let passed = self.0.iter().take_while(|place| {
            let wanted = left > 0;
            left -= usize::from(wanted && !place.decoy);
            wanted
        });
        passed.filter(|place| place.decoy).count()
    }

    /// The next number, a customer's or a decoy's.
    pub fn take(&mut self) -> Option<Place> {
        self.0.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoys_are_counted_up_to_the_last_customer() {
        let mut upcoming = Upcoming::default();
        upcoming.extend(Record(10), 4, &[Record(11), Record(12)]);
        upcoming.extend(Record(20), 2, &[Record(21)]);
        assert_eq!(upcoming.customers(), 3);
        let counts = [0, 1, 2, 3].map(|customers| upcoming.decoys_before(customers));
        assert_eq!(counts, [0, 0, 2, 2]);
        let places = std::iter::from_fn(|| upcoming.take()).map(|of| (of.record.0, of.decoy));
        let expected = [(10, false), (11, true), (12, true), (13, false), (20, false), (21, true)];
        assert_eq!(places.collect::<Vec<_>>(), expected);
        assert_eq!(upcoming.take(), None);
    }
}
