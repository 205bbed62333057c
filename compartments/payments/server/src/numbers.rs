//! Record numbers for new cards. They are reserved in the database before they are used, so that
//! several instances never give out the same one.

use std::sync::{Mutex, MutexGuard, PoisonError};

use cofferdam_core::Record;
use cofferdam_store::Db;
use cofferdam_wire::{Problem, ProblemType};

/// The most numbers that may have been sealed and are kept aside. Without a limit, a long outage of
/// `keys` would use up more numbers than `keys` lets a compartment pass over.
const MAX_DOUBTED: usize = 1_000;

/// The numbers that were reserved for calls which failed at `keys`. Later calls use them, so that a caller
/// without a grant uses none up.
#[derive(Debug, Default)]
pub struct Numbers(Mutex<Unused>);

#[derive(Debug, Default)]
struct Unused {
    /// The numbers that `keys` refused to seal.
    spare: Vec<Record>,
    /// The numbers that `keys` may have sealed, though no answer came. It seals none of those again.
    doubted: Vec<Record>,
}

impl Numbers {
    /// Takes `count` numbers that nobody else gets, ascending.
    pub async fn take(&self, db: &Db, count: usize) -> Result<Vec<Record>, Problem> {
        let mut taken = self.take_spare(count);
        match reserve(db, count - taken.len()).await {
            Ok(reserved) => taken.extend(reserved),
            Err(problem) => {
                self.give_back(taken);
                return Err(problem);
            }
        }
        taken.sort_unstable();
        Ok(taken)
    }

    /// Gives numbers back of which the database can hold no card, and for which `keys` refused the keys.
    pub fn give_back(&self, unused: impl IntoIterator<Item = Record>) {
        self.unused().spare.extend(unused);
    }

    /// Keeps numbers aside of which the database can hold no card, but which `keys` may have sealed. They
    /// are used again only if there are many of them.
    pub fn doubt(&self, unused: impl IntoIterator<Item = Record>) {
        let Unused { spare, doubted } = &mut *self.unused();
        doubted.extend(unused);
        if doubted.len() > MAX_DOUBTED {
            spare.append(doubted);
        }
    }

    /// Forgets the numbers to use again, because one of them was sealed: the others may have been as
    /// well.
    pub fn forget_spare(&self) {
        self.unused().spare.clear();
    }

    fn take_spare(&self, most: usize) -> Vec<Record> {
        let spare = &mut self.unused().spare;
        let kept = spare.len().saturating_sub(most);
        spare.split_off(kept)
    }

    fn unused(&self) -> MutexGuard<'_, Unused> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn reserve(db: &Db, count: usize) -> Result<impl Iterator<Item = Record>, Problem> {
    let none_left = || Problem::new(ProblemType::UNAVAILABLE, "there are no more numbers");
    let count = u32::try_from(count).map_err(|_| none_left())?;
    let first = match count {
        0 => Record(0),
        count => db.reserve_numbers(count).await?.ok_or_else(none_left)?,
    };
    Ok((first.0..first.0 + count).map(Record))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubted_numbers_are_used_again_only_if_they_are_many() {
        let numbers = Numbers::default();
        let most = u32::try_from(MAX_DOUBTED).unwrap();
        numbers.doubt((0..most).map(Record));
        numbers.give_back([Record(most)]);
        assert_eq!(numbers.take_spare(10), [Record(most)]);
        numbers.doubt([Record(most + 1)]);
        assert_eq!(numbers.take_spare(usize::MAX).len(), MAX_DOUBTED + 1);
        assert!(numbers.take_spare(1).is_empty());
    }
}
