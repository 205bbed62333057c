//! The record numbers that each domain gave out, as far as they passed through `keys`: every new
//! record is sealed, and every customer's number is claimed.

use std::collections::BTreeMap;
use std::sync::Mutex;

use cofferdam_core::Domain;
use cofferdam_store::{Db, StoreError};

use super::lock;
use crate::store;

/// The most numbers that are passed over. Instances reserve numbers in ranges, and lose the rest of one
/// when they end.
const MAX_JUMP: u32 = 1_000_000;

/// The numbers behind the last ones. A number in memory alone is in the log as well, from which
/// the next start takes it.
pub struct Numbers {
    db: Db,
    seen: Mutex<BTreeMap<Domain, u32>>,
    saved: Mutex<BTreeMap<Domain, u32>>,
}

impl Numbers {
    /// Begins with the numbers that the log showed at the start.
    pub fn new(db: Db, recalled: BTreeMap<Domain, u32>) -> Self {
        Self { db, seen: Mutex::new(recalled), saved: Mutex::default() }
    }

    /// Notes that the numbers below `upto` of a domain were given out.
    pub fn note(&self, domain: Domain, upto: u32) {
        let mut seen = lock(&self.seen);
        let mark = seen.entry(domain).or_default();
        *mark = upto.max(*mark);
    }

    /// The number behind the last one that any instance knows.
    pub async fn given(&self, domain: Domain) -> Result<u32, StoreError> {
        let stored = store::numbers_given(&self.db).await?.get(&domain).copied();
        let seen = lock(&self.seen).get(&domain).copied();
        Ok(stored.max(seen).unwrap_or(0))
    }

    /// Whether numbers below `upto` may be given out now. A fallen compartment could otherwise use up all
    /// numbers in one call.
    pub async fn may_give(&self, domain: Domain, upto: u32) -> Result<bool, StoreError> {
        let fits = |given: u32| upto <= given.saturating_add(MAX_JUMP);
        let seen = lock(&self.seen).get(&domain).copied().unwrap_or(0);
        Ok(fits(seen) || fits(self.given(domain).await?))
    }

    /// Saves the numbers that the database lacks.
    pub async fn save(&self) -> Result<(), StoreError> {
        let seen = lock(&self.seen).clone();
        for (domain, upto) in seen {
            if lock(&self.saved).get(&domain) != Some(&upto) {
                store::raise_numbers(&self.db, domain, upto).await?;
                lock(&self.saved).insert(domain, upto);
            }
        }
        Ok(())
    }
}
