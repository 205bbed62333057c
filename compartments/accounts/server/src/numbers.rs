//! Gives out record numbers, in ascending order, and knows which of the next ones are decoys.
//!
//! Ranges are reserved in the database first and claimed from `keys` after that; where the decoys
//! are stands in memory only. What is left of a range when the process ends is never given out:
//! nobody could say any more which of those numbers were decoys. So is a range whose claim `keys`
//! took without our seeing the answer.

use std::collections::{BTreeSet, VecDeque};

use cofferdam_core::Record;
use cofferdam_wire::{Problem, ProblemType};

use crate::keys::{Keys, KeysError};
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
    /// The start of a range that is reserved, and not claimed as far as we know.
    unclaimed: Option<Record>,
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
            let from = self.next_range(store).await?;
            match keys.claim(from, RANGE).await {
                Ok(decoys) => self.extend(from, &decoys.into_iter().collect()),
                Err(e) if was_claimed(&e) => {
                    tracing::warn!(%from, "a range of numbers was claimed before, and is left out");
                }
                Err(e) => {
                    // Most likely `keys` never saw it: the next attempt takes the same range.
                    self.unclaimed = Some(from);
                    return Err(e.into());
                }
            }
        }
        Ok(())
    }

    async fn next_range(&mut self, store: &Store) -> Result<Record, Problem> {
        if let Some(from) = self.unclaimed.take() {
            return Ok(from);
        }
        let from = store.reserve(RANGE).await?;
        from.ok_or_else(out_of_numbers)
    }

    fn extend(&mut self, from: Record, decoys: &BTreeSet<Record>) {
        let records = (from.0..from.0 + RANGE).map(Record);
        self.upcoming
            .extend(records.map(|record| Place { record, decoy: decoys.contains(&record) }));
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

fn was_claimed(error: &KeysError) -> bool {
    let KeysError::Call(error) = error else { return false };
    error.problem().is_some_and(|problem| problem.is(ProblemType::CONFLICT))
}

fn out_of_numbers() -> Problem {
    Problem::new(ProblemType::UNAVAILABLE, "there are no more record numbers")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoys_are_counted_up_to_the_last_customer() {
        let decoys = [false, true, true, false, false, true];
        let upcoming =
            decoys.iter().zip(0..).map(|(decoy, n)| Place { record: Record(n), decoy: *decoy });
        let numbers = Numbers { upcoming: upcoming.collect(), unclaimed: None };
        let counts = [0, 1, 2, 3].map(|customers| numbers.decoys_before(customers));
        assert_eq!(counts, [0, 0, 2, 2]);
    }
}
