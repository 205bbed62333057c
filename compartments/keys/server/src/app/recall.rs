//! What the log's last days mean for budgets, warrants and erased records.

use std::collections::BTreeMap;
use std::sync::Arc;

use cofferdam_core::{CallerName, Operation, Record, Timestamp};
use cofferdam_store::{Db, StoreError};
use keys_api::{Entry, Event, WarrantId};
use roaring::RoaringBitmap;

use crate::domain::access::Access;
use crate::domain::budget::Budgets;
use crate::store;

/// What was gathered.
pub struct Recalled {
    access: Arc<Access>,
    pub budgets: Budgets,
    /// The last entry's instant.
    pub last: Option<Timestamp>,
    drawn: BTreeMap<WarrantId, RoaringBitmap>,
    erased: BTreeMap<String, RoaringBitmap>,
}

impl Recalled {
    pub fn new(access: Arc<Access>) -> Self {
        Self {
            access,
            budgets: Budgets::default(),
            last: None,
            drawn: BTreeMap::new(),
            erased: BTreeMap::new(),
        }
    }

    /// Takes one entry.
    pub fn take(&mut self, entry: &Entry) {
        self.last = self.last.max(Some(entry.at));
        match &entry.event {
            Event::Released { warrant: Some(id), records, .. } => {
                let numbers = records.as_slice().iter().map(|record| record.0);
                self.drawn.entry(*id).or_default().extend(numbers);
            }
            Event::Released { caller, via, operation, records, .. } => {
                self.spend([caller, via], *operation, entry.at, records.as_slice().len());
            }
            Event::Hardened { caller, via, records } => {
                self.spend([caller, via], Operation::Harden, entry.at, records.as_slice().len());
            }
            Event::Indexed { caller, via, count } => {
                self.spend([caller, via], Operation::Index, entry.at, *count as usize);
            }
            Event::Erased { caller, via, domain, records } => {
                self.spend([caller, via], Operation::Erase, entry.at, records.as_slice().len());
                let numbers = records.as_slice().iter().map(|record| record.0);
                self.erased.entry(super::erased_set(*domain)).or_default().extend(numbers);
            }
            Event::Started
            | Event::Recovered { .. }
            | Event::Froze { .. }
            | Event::WarrantOpened { .. }
            | Event::WarrantClosed { .. }
            | Event::PolicyChanged { .. }
            | Event::EpochChanged { .. }
            | Event::EpochForced { .. }
            | Event::VoidApproved { .. }
            | Event::BudgetLowered { .. } => {}
        }
    }

    /// A caller that is its own compartment spends once.
    fn spend(&mut self, [caller, via]: [&CallerName; 2], op: Operation, at: Timestamp, n: usize) {
        let via = Some(via).filter(|via| *via != caller);
        for name in [Some(caller), via].into_iter().flatten() {
            let minute = self.access.budget(name, op).map_or(0, |budget| budget.minute);
            self.budgets.record(name, op, at, n as u64, minute);
        }
    }

    /// Brings the database up to what the log says: an older copy of it that was put back opens
    /// nothing again.
    pub async fn save(&self, db: &Db) -> Result<(), StoreError> {
        for (id, drawn) in &self.drawn {
            let records: Vec<_> = drawn.iter().map(Record).collect();
            store::draw(db, *id, i64::MAX.cast_unsigned(), &records).await?;
        }
        for (name, erased) in &self.erased {
            let records: Vec<_> = erased.iter().map(Record).collect();
            store::add_records(db, name, &records).await?;
        }
        Ok(())
    }
}
