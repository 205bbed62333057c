//! What the log's last days mean for budgets, warrants, freezes, epochs and erased records.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cofferdam_core::{CallerName, Domain, Epoch, Operation, Record, Timestamp};
use cofferdam_store::{Db, StoreError};
use keys_api::{Budget, Entry, EpochChange, Event, WarrantId};
use roaring::RoaringBitmap;

use crate::ceremony::master_name;
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
    closed: BTreeSet<WarrantId>,
    frozen: BTreeMap<CallerName, bool>,
    lowered: BTreeMap<(CallerName, Operation), Option<Budget>>,
    retired: BTreeSet<(Domain, Epoch)>,
}

impl Recalled {
    pub fn new(access: Arc<Access>) -> Self {
        Self {
            access,
            budgets: Budgets::default(),
            last: None,
            drawn: BTreeMap::new(),
            erased: BTreeMap::new(),
            closed: BTreeSet::new(),
            frozen: BTreeMap::new(),
            lowered: BTreeMap::new(),
            retired: BTreeSet::new(),
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
            Event::Froze { caller, frozen, .. } => {
                self.frozen.insert(caller.clone(), *frozen);
            }
            Event::WarrantClosed { warrant, .. } => {
                self.closed.insert(*warrant);
            }
            Event::EpochChanged { domain, change: EpochChange::Retire { epoch }, .. } => {
                self.retired.insert((*domain, *epoch));
            }
            Event::BudgetLowered { caller, operation, budget, .. } => {
                self.lowered.insert((caller.clone(), *operation), *budget);
            }
            Event::Started
            | Event::Recovered { .. }
            | Event::WarrantOpened { .. }
            | Event::PolicyChanged { .. }
            | Event::EpochChanged { .. }
            | Event::EpochForced { .. }
            | Event::VoidApproved { .. } => {}
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
            if !store::draw(db, *id, i64::MAX.cast_unsigned(), &records).await? {
                // The warrant is closed, or was opened after the copy was made: should it be
                // handed in again, it goes on from here.
                store::add_records(db, &format!("warrant/{id}"), &records).await?;
            }
        }
        for id in &self.closed {
            store::close_warrant(db, *id).await?;
        }
        for (caller, frozen) in &self.frozen {
            store::set_frozen(db, caller, *frozen).await?;
        }
        for ((caller, operation), budget) in &self.lowered {
            store::set_lowered(db, caller, *operation, budget.as_ref()).await?;
        }
        for (domain, epoch) in &self.retired {
            store::delete_secret(db, &master_name(*domain, *epoch)).await?;
        }
        for (name, erased) in &self.erased {
            let records: Vec<_> = erased.iter().map(Record).collect();
            store::add_records(db, name, &records).await?;
        }
        Ok(())
    }
}
