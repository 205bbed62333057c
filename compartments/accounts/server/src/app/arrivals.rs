//! Record numbers for new customers, and people from whose data decoys are made.
//!
//! A range of numbers is reserved in the database, and then claimed from `keys`. The places of the
//! decoys are in memory only. After the end of the process, the rest of a range is never given out,
//! because nobody knows any more which of its numbers are decoys. The same holds for a range whose
//! claim reached `keys` but whose answer was lost.

use std::sync::{Mutex, MutexGuard, PoisonError};

use accounts_api::Profile;
use cofferdam_core::Record;
use cofferdam_wire::{Problem, ProblemType};
use keys_api::DECOYS_CLAIMED;
use keys_client::Vault;

use crate::config::MailDomains;
use crate::domain::donors::Donors;
use crate::domain::numbers::Upcoming;
use crate::store::Store;

/// The number of record numbers in one claim.
const RANGE: u32 = 10_000;

/// The numbers and the decoys for new customers.
pub struct Arrivals {
    /// The next record numbers. A call that settles people locks them.
    pub numbers: tokio::sync::Mutex<Numbers>,
    /// The mail domains in which decoys have their addresses.
    pub mail_domains: MailDomains,
    donors: Mutex<Donors>,
}

/// The record numbers to come.
#[derive(Debug, Default)]
pub struct Numbers {
    /// The numbers that were claimed and not yet given out.
    pub upcoming: Upcoming,
    /// The start of a range that is reserved but, as far as this process knows, not claimed.
    unclaimed: Option<Record>,
}

impl Arrivals {
    /// Starts without people. Decoys get addresses in `mail_domains`.
    pub fn new(mail_domains: MailDomains) -> Self {
        Self { numbers: tokio::sync::Mutex::default(), mail_domains, donors: Mutex::default() }
    }

    /// Remembers the last of `people` as donors.
    pub fn remember<'a>(&self, people: impl DoubleEndedIterator<Item = &'a Profile>) {
        self.donors().remember(people);
    }

    /// The remembered donors, for use beside `at_hand` others.
    pub fn donors_beside(&self, at_hand: usize) -> Vec<Profile> {
        self.donors().recall(at_hand)
    }

    fn donors(&self) -> MutexGuard<'_, Donors> {
        self.donors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Numbers {
    /// Makes sure that `customers` numbers can be given out.
    pub async fn provide(
        &mut self,
        store: &Store,
        vault: &Vault,
        customers: usize,
    ) -> Result<(), Problem> {
        while self.upcoming.customers() < customers {
            let from = self.next_range(store).await?;
            match vault.claim_decoys(from, RANGE).await {
                Ok(decoys) => self.upcoming.extend(from, RANGE, &decoys),
                Err(e) if e.is(DECOYS_CLAIMED) => {
                    tracing::warn!(%from, "a range of numbers was claimed before, and is left out");
                }
                Err(e) => {
                    // Most likely `keys` never got the claim, so the next attempt takes the same
                    // range.
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
        store.db().reserve_numbers(RANGE).await?.ok_or_else(out_of_numbers)
    }
}

/// The problem that no record number is left.
pub fn out_of_numbers() -> Problem {
    Problem::new(ProblemType::UNAVAILABLE, "there are no more record numbers")
}
