//! Gives out record numbers, in ascending order, and knows which of the next ones are decoys.
//!
//! Ranges are reserved in the database first and claimed from `keys` after that; where the decoys
//! are stands in memory only. What is left of a range when the process ends is never given out:
//! nobody could say any more which of those numbers were decoys.

use std::collections::{BTreeSet, VecDeque};

use cofferdam_core::Record;
use cofferdam_wire::{Problem, ProblemKind};

use crate::keys::Keys;
use crate::store::Store;

/// How many numbers are claimed at once.
const RANGE: u32 = 10_000;

/// A number that somebody is about to get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The number.
    pub record: Record,
    /// Whether nobody may live there.
    pub decoy: bool,
}

/// The numbers that were claimed and not given out yet.
#[derive(Debug, Default)]
pub struct Numbers {
    upcoming: VecDeque<Place>,
}

impl Numbers {
    /// Sees to it that `customers` numbers can be given out.
    pub async fn provide(
        &mut self,
        store: &Store,
        keys: &Keys,
        customers: usize,
    ) -> Result<(), Problem> {
        while self.upcoming.iter().filter(|place| !place.decoy).count() < customers {
            let from = store.reserve(RANGE).await.map_err(|e| Problem::internal(&e))?;
            let from = from.ok_or_else(out_of_numbers)?;
            let decoys: BTreeSet<Record> = keys.claim(from, RANGE).await?.into_iter().collect();
            let records = (from.0..from.0 + RANGE).map(Record);
            self.upcoming
                .extend(records.map(|record| Place { record, decoy: decoys.contains(&record) }));
        }
        Ok(())
    }

    /// How many decoys stand before the number of the last of `customers` to come.
    #[must_use]
    pub fn decoys_before(&self, customers: usize) -> usize {
        let mut left = customers;
        let passed = self.upcoming.iter().take_while(|place| {
            let wanted = left > 0;
            left -= usize::from(wanted && !place.decoy);
            wanted
        });
        passed.filter(|place| place.decoy).count()
    }

    /// The next number, a customer's or a decoy's.
    pub fn take(&mut self) -> Result<Place, Problem> {
        self.upcoming.pop_front().ok_or_else(out_of_numbers)
    }
}

fn out_of_numbers() -> Problem {
    Problem::new(ProblemKind::Unavailable, "there are no more record numbers")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoys_are_counted_up_to_the_last_customer() {
        let decoys = [false, true, true, false, false, true];
        let upcoming =
            decoys.iter().zip(0..).map(|(decoy, n)| Place { record: Record(n), decoy: *decoy });
        let numbers = Numbers { upcoming: upcoming.collect() };
        let counts = [0, 1, 2, 3].map(|customers| numbers.decoys_before(customers));
        assert_eq!(counts, [0, 0, 2, 2]);
    }
}
