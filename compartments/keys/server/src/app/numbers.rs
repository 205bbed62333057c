//! The record numbers that each domain gave out, as far as they passed through `keys`: every new
//! record is sealed, and every customer's number is claimed.

use std::collections::BTreeMap;
use std::sync::Mutex;

use cofferdam_core::Domain;
use cofferdam_store::{Db, StoreError};

use super::lock;
use crate::store;

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
