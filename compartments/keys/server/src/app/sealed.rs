//! The records that were sealed. A field key opens what it seals, so `keys` gives a key to seal a
//! record of a customer or a card only while the record is new.

use std::collections::BTreeMap;
use std::sync::Mutex;

use cofferdam_core::{Domain, Timestamp};
use cofferdam_store::{Backend, Db, StoreError};
use roaring::RoaringBitmap;

use super::lock;
use crate::store;

/// The domains whose records are sealed once. A brought table may be brought again, so its people are
/// sealed again.
pub const SEALED_ONCE: [Domain; 2] = [Domain::Accounts, Domain::Payments];
/// The time for which a record stays new, in milliseconds: a compartment that got no answer asks once
/// more. It grows up to twice as long.
const NEW_MS: i64 = 60_000;

/// The sealed records of each domain.
pub struct Sealed {
    db: Db,
    /// The origin of this instance's log.
    log: String,
    records: Mutex<Records>,
}

#[derive(Default)]
struct Records {
    domains: BTreeMap<Domain, Ages>,
    /// The last time at which records aged, in milliseconds since 1970.
    aged_ms: i64,
}

/// The sealed records of a domain, by age.
#[derive(Default)]
struct Ages {
    old: RoaringBitmap,
    young: RoaringBitmap,
    newest: RoaringBitmap,
}

impl Sealed {
    /// Reads the records that the database knows.
    pub async fn read(db: Db, log: &str) -> Result<Self, StoreError> {
        let sealed = Self { db, log: log.to_owned(), records: Mutex::default() };
        sealed.reload().await?;
        Ok(sealed)
    }

    /// Those of some records that are not new.
    pub fn among(&self, domain: Domain, records: &RoaringBitmap) -> RoaringBitmap {
        let known = lock(&self.records);
        known.domains.get(&domain).map(|ages| &ages.old & records).unwrap_or_default()
    }

    /// Notes that records were sealed just now.
    pub fn note(&self, domain: Domain, records: &RoaringBitmap) {
        if SEALED_ONCE.contains(&domain) {
            lock(&self.records).domains.entry(domain).or_default().newest |= records;
        }
    }

    /// Lets records age, and saves those that are new no more. The other instances learn of them, and
    /// this one of theirs.
    pub async fn age(&self, now: Timestamp) -> Result<(), StoreError> {
        let now_ms = now.as_millisecond();
        if now_ms < lock(&self.records).aged_ms.saturating_add(NEW_MS) {
            return Ok(());
        }
        for domain in SEALED_ONCE {
            let young = lock(&self.records).domains.entry(domain).or_default().young.clone();
            if !young.is_empty() {
                store::note_sealed(&self.db, domain, &self.log, &young).await?;
            }
            let mut known = lock(&self.records);
            let ages = known.domains.entry(domain).or_default();
            ages.old |= young;
            ages.young = std::mem::take(&mut ages.newest);
        }
        lock(&self.records).aged_ms = now_ms;
        // A SQLite database has one process.
        if self.db.backend() == Backend::Postgres {
            self.reload().await?;
        }
        Ok(())
    }

    async fn reload(&self) -> Result<(), StoreError> {
        for domain in SEALED_ONCE {
            let known = store::sealed_records(&self.db, domain).await?;
            lock(&self.records).domains.entry(domain).or_default().old |= known;
        }
        Ok(())
    }
}
