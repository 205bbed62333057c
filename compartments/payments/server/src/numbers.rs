//! Record numbers for new cards. They are reserved in the database before they are used, so that
//! several instances never give out the same one.

use std::sync::{Mutex, MutexGuard, PoisonError};

use cofferdam_core::Record;
use cofferdam_store::Db;
use cofferdam_wire::{Problem, ProblemType};

/// The numbers that were reserved for calls which `keys` then refused. Later calls use them, so that a
/// caller without a grant uses none up.
#[derive(Debug, Default)]
pub struct Numbers(Mutex<Vec<Record>>);

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

    /// Gives numbers back of which the database can hold no card.
    pub fn give_back(&self, unused: impl IntoIterator<Item = Record>) {
        self.spare().extend(unused);
    }

    fn take_spare(&self, most: usize) -> Vec<Record> {
        let mut spare = self.spare();
        let kept = spare.len().saturating_sub(most);
        spare.split_off(kept)
    }

    fn spare(&self) -> MutexGuard<'_, Vec<Record>> {
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
