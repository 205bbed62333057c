//! The rules of one release: the keys that a call asks for, those that are withheld, and the events
//! for the log.

use std::collections::{BTreeMap, BTreeSet};

use cofferdam_core::{CallerName, Domain, Epoch, FieldSet, Operation, Record};
use keys_api::{Event, KeyGroup, RecordKeys, RecordList, ReleaseKeys, ReleasedGroup, WarrantId};
use roaring::RoaringBitmap;

use super::batch::{BadBatch, check_count, check_order, check_records};
use super::decoy::Decoys;
use super::derive::KeyRing;

/// The keys that a call asks for. Every group names an epoch that has a master key, and no key is
/// in two groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    domain: Domain,
    operation: Operation,
    warrant: Option<WarrantId>,
    groups: Vec<Group>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    fields: FieldSet,
    /// The fields that the caller learns to be unset.
    unset: FieldSet,
    epoch: Epoch,
    /// The records that are not withheld.
    records: Vec<Record>,
    /// The erased records of which a caller learns that they do not exist. The holder of a warrant
    /// learns of erasures from `accounts` itself.
    erased: Vec<Record>,
}

/// The permission that a release needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// A warrant that two people signed.
    Warrant(WarrantId),
    /// The window in which a compartment may re-seal its records.
    Reseal,
    /// The caller's grant and budget.
    Grant,
}

/// The records whose keys are withheld, ascending.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Withheld {
    /// The records that are decoys.
    pub decoys: Vec<Record>,
    /// The records that were erased.
    pub erased: Vec<Record>,
}

/// A release call that contradicts the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadRelease {
    /// A list of records can't be taken.
    #[error(transparent)]
    Batch(#[from] BadBatch),
    /// The operation gives out no keys.
    #[error("keys are given out to release, to seal or to reseal")]
    Operation,
    /// A warrant was named for another operation than a release.
    #[error("a warrant covers reading only")]
    Warrant,
    /// A group names no field, or a field of another domain.
    #[error("name fields of {0}")]
    Fields(Domain),
    /// A group names fields as unset in another operation than a release to read, or a field both
    /// as set and as unset.
    #[error("only records to read have unset fields, and no field is both")]
    Unset,
    /// The domain has no master key on this instance.
    #[error("{0} has no key here")]
    NoKey(Domain),
    /// The epoch has no master key.
    #[error("{0} has no epoch {n}", n = .1.0)]
    NoEpoch(Domain, Epoch),
    /// Two groups name the same field of the same record in the same epoch. Such a call could fill
    /// the log with entries that say nothing new.
    #[error("a key is asked for twice")]
    Twice,
}

impl Wanted {
    /// Reads a call. `ring` has the epochs that exist.
    pub fn read(call: ReleaseKeys, ring: &KeyRing) -> Result<Self, BadRelease> {
        check_count(call.count())?;
        let ReleaseKeys { domain, operation, groups, warrant, .. } = call;
        // Whether the customer is there is for `keys` to find out.
        if !operation.names_fields() || operation == Operation::ReleasePresent {
            return Err(BadRelease::Operation);
        }
        if warrant.is_some() && operation != Operation::Release {
            return Err(BadRelease::Warrant);
        }
        let groups = groups.into_iter().map(|group| Group::read(group, domain, ring));
        let groups = groups.collect::<Result<Vec<_>, _>>()?;
        let names_unset = groups.iter().any(|group| !group.unset.is_empty());
        if names_unset && operation != Operation::Release {
            return Err(BadRelease::Unset);
        }
        check_once(&groups)?;
        Ok(Self { domain, operation, warrant, groups })
    }

    /// The domain of all keys.
    pub const fn domain(&self) -> Domain {
        self.domain
    }

    /// The purpose: to read, to write or to re-seal.
    pub const fn operation(&self) -> Operation {
        self.operation
    }

    /// The permission that this release needs.
    pub const fn basis(&self) -> Basis {
        match (self.warrant, self.operation) {
            (Some(warrant), _) => Basis::Warrant(warrant),
            (None, Operation::Reseal) => Basis::Reseal,
            (None, _) => Basis::Grant,
        }
    }

    /// Counts the release as one to a customer who is signed in at the caller.
    pub const fn while_present(&mut self) {
        self.operation = Operation::ReleasePresent;
    }

    /// Every record that the call names, erased ones among them.
    pub fn asked(&self) -> impl Iterator<Item = Record> {
        self.groups.iter().flat_map(|group| group.records.iter().chain(&group.erased)).copied()
    }

    /// The fields of all groups. The grant must cover all of them.
    pub fn fields(&self) -> FieldSet {
        self.groups.iter().fold(FieldSet::EMPTY, |all, group| all.union(group.asked()))
    }

    /// The number behind the last record.
    pub fn numbers(&self) -> u32 {
        let last = self.groups.iter().filter_map(|group| group.records.last()).max();
        last.map_or(0, |last| last.0.saturating_add(1))
    }

    /// The records of all groups, each once, that are not withheld.
    pub fn records(&self) -> RoaringBitmap {
        self.groups.iter().flat_map(|group| &group.records).map(|record| record.0).collect()
    }

    /// The number of records to charge. A record in two groups counts twice. To read an erased
    /// record counts as well, because the answer tells that there is no such record.
    pub fn count(&self) -> usize {
        self.groups.iter().map(|group| group.records.len() + group.erased.len()).sum()
    }

    /// The number of keys to derive.
    pub fn key_count(&self) -> usize {
        self.groups.iter().map(|group| group.records.len() * group.fields.len()).sum()
    }

    /// Withholds erased records and, under a warrant, decoys, because nobody is to write to them.
    pub fn withhold(&mut self, erased: &RoaringBitmap, decoys: &Decoys) -> Withheld {
        let (mut gone, mut nobody) = (BTreeSet::new(), BTreeSet::new());
        let (domain, under_warrant) = (self.domain, self.warrant.is_some());
        let told = self.operation == Operation::Release && !under_warrant;
        for group in &mut self.groups {
            group.records.retain(|record| {
                if erased.contains(record.0) {
                    gone.insert(*record);
                    if told {
                        group.erased.push(*record);
                    }
                    return false;
                }
                let decoy = under_warrant && decoys.is_decoy(domain, *record);
                if decoy {
                    nobody.insert(*record);
                }
                !decoy
            });
        }
        Withheld { decoys: nobody.into_iter().collect(), erased: gone.into_iter().collect() }
    }

    /// Whether none of the records that are not withheld was erased meanwhile, and no epoch's master key
    /// was destroyed.
    pub fn is_still_there(&self, erased: &RoaringBitmap, ring: &KeyRing) -> bool {
        self.groups.iter().all(|group| {
            let gone = |record: &Record| erased.contains(record.0);
            ring.has(self.domain, group.epoch) && !group.records.iter().any(gone)
        })
    }

    /// The events for the log: for each group, its released records, those that lack fields, and
    /// those that were erased.
    pub fn events(&self, caller: &CallerName, via: &CallerName) -> Vec<Event> {
        let released = |group: &Group| {
            (!group.fields.is_empty() && !group.records.is_empty()).then(|| Event::Released {
                caller: caller.clone(),
                via: via.clone(),
                domain: self.domain,
                operation: self.operation,
                fields: group.fields,
                epoch: group.epoch,
                records: RecordList::new(group.records.clone()),
                warrant: self.warrant,
            })
        };
        let missed = |fields: FieldSet, records: &[Record], alone| {
            (!fields.is_empty() && !records.is_empty()).then(|| Event::Missed {
                caller: caller.clone(),
                via: via.clone(),
                domain: self.domain,
                fields,
                records: RecordList::new(records.to_vec()),
                alone,
                warrant: self.warrant,
            })
        };
        let events = self.groups.iter().flat_map(|group| {
            let lacking = missed(group.unset, &group.records, group.fields.is_empty());
            [released(group), lacking, missed(group.asked(), &group.erased, true)]
        });
        events.flatten().collect()
    }

    /// Derives the keys, group by group.
    pub fn keys(&self, ring: &KeyRing) -> Vec<ReleasedGroup> {
        let keys_of = |group: &Group| {
            let keys_of = |record: &Record| {
                let keys = ring.field_keys(self.domain, group.epoch, *record, group.fields)?;
                Some(RecordKeys { record: *record, keys })
            };
            let records = group.records.iter().filter_map(keys_of).collect();
            ReleasedGroup { epoch: group.epoch, records }
        };
        self.groups.iter().map(keys_of).collect()
    }
}

impl Group {
    fn read(group: KeyGroup, domain: Domain, ring: &KeyRing) -> Result<Self, BadRelease> {
        let KeyGroup { fields, unset, epoch, records } = group;
        // A compartment that knows no record for what the caller named asks for nobody, so that
        // the grant and the budget apply as well.
        let check = if fields.is_empty() { check_order } else { check_records };
        check(&records)?;
        let asked = fields.union(unset);
        if asked.is_empty() || asked.iter().any(|field| field.domain() != domain) {
            return Err(BadRelease::Fields(domain));
        }
        if !fields.intersection(unset).is_empty() {
            return Err(BadRelease::Unset);
        }
        let epoch = epoch.or_else(|| ring.current(domain)).ok_or(BadRelease::NoKey(domain))?;
        if !ring.has(domain, epoch) {
            return Err(BadRelease::NoEpoch(domain, epoch));
        }
        Ok(Self { fields, unset, epoch, records, erased: Vec::new() })
    }

    /// All fields that the caller asked for.
    const fn asked(&self) -> FieldSet {
        self.fields.union(self.unset)
    }
}

fn check_once(groups: &[Group]) -> Result<(), BadRelease> {
    let mut named: BTreeMap<(Record, Epoch), FieldSet> = BTreeMap::new();
    for group in groups {
        for record in &group.records {
            let fields = named.entry((*record, group.epoch)).or_default();
            if !fields.intersection(group.asked()).is_empty() {
                return Err(BadRelease::Twice);
            }
            *fields = fields.union(group.asked());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
