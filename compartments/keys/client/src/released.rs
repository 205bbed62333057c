//! Released keys by record and by field, and the way to ask for them.

use std::collections::BTreeMap;

use cofferdam_core::{Epoch, Field, FieldKey, FieldSet, Personal, Record, Rng, SealedAs};
use keys_api::{KeyGroup, RecordKeys, ReleaseKeys, ReleasedKeys};

use crate::{Halves, VaultError};

/// A record as the compartment stores it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealedRecord {
    /// The record's number.
    pub record: Record,
    /// The epoch under which it is sealed.
    pub epoch: Epoch,
    /// The fields that the record has and the caller wants. A key is released only for data that
    /// exists, so that the log tells what could be read from what is known to be unset.
    pub fields: FieldSet,
}

/// A record that a caller wants to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// A record that exists, and the fields that the caller wants and the record lacks.
    Stored(SealedRecord, FieldSet),
    /// A record that does not exist, and the fields that the caller wants.
    Missing(Record, FieldSet),
}

/// The keys of some fields of one record. They are dropped at the end of the request.
#[derive(Debug)]
pub struct FieldKeys {
    record: Record,
    epoch: Epoch,
    keys: BTreeMap<Field, FieldKey>,
}

/// The keys that `keys` released.
#[derive(Debug, Default)]
pub struct Released {
    keys: BTreeMap<Record, FieldKeys>,
    decoys: Vec<Record>,
}

/// The keys of one record under its old epoch and under the new one.
#[derive(Debug)]
pub struct ResealKeys {
    old: FieldKeys,
    new: FieldKeys,
}

/// The keys with which records move to a new epoch.
#[derive(Debug, Default)]
pub struct Resealing {
    keys: BTreeMap<Record, ResealKeys>,
}

impl FieldKeys {
    /// The epoch of the keys; 0 for a record that was to be sealed without fields.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Seals the text of a field.
    pub fn seal(
        &self,
        field: Field,
        text: &Personal,
        rng: &dyn Rng,
    ) -> Result<Vec<u8>, VaultError> {
        Ok(self.place(field).seal(self.key(field)?, text, rng))
    }

    /// Opens the sealed text of a field.
    pub fn open(&self, field: Field, sealed: &[u8]) -> Result<Personal, VaultError> {
        Ok(self.place(field).open(self.key(field)?, sealed)?)
    }

    const fn place(&self, field: Field) -> SealedAs {
        SealedAs { record: self.record, field, epoch: self.epoch }
    }

    fn key(&self, field: Field) -> Result<&FieldKey, VaultError> {
        let missing = || VaultError::NotAsked { record: self.record, field };
        self.keys.get(&field).ok_or_else(missing)
    }
}

impl Released {
    /// The keys of a record that was asked for; `None` if `keys` withheld them, because the record
    /// was erased or, under a warrant, is a decoy.
    #[must_use]
    pub fn get(&self, record: Record) -> Option<&FieldKeys> {
        self.keys.get(&record)
    }

    /// The keys of a record that was asked for and can't have been erased.
    pub fn of(&self, record: Record) -> Result<&FieldKeys, VaultError> {
        self.get(record).ok_or(VaultError::Withheld(record))
    }

    /// The epochs of keys that were released.
    pub(crate) fn epochs(&self) -> impl Iterator<Item = Epoch> {
        let with_keys = self.keys.values().filter(|of| !of.keys.is_empty());
        with_keys.map(|of| of.epoch)
    }

    /// Takes the keys of the only record that was asked for.
    pub fn take(mut self, record: Record) -> Result<FieldKeys, VaultError> {
        self.keys.remove(&record).ok_or(VaultError::Withheld(record))
    }

    /// The records that were withheld under a warrant, ascending. They are decoys.
    #[must_use]
    pub fn decoys(&self) -> &[Record] {
        &self.decoys
    }
}

impl ResealKeys {
    /// The epoch that the record moves to.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.new.epoch
    }

    /// Opens a sealed text of the old epoch, and seals it under the new one.
    pub fn reseal(
        &self,
        field: Field,
        sealed: &[u8],
        rng: &dyn Rng,
    ) -> Result<Vec<u8>, VaultError> {
        self.new.seal(field, &self.old.open(field, sealed)?, rng)
    }
}

impl Resealing {
    /// The keys of a record that was asked for; `None` if the record was erased meanwhile.
    #[must_use]
    pub fn get(&self, record: Record) -> Option<&ResealKeys> {
        self.keys.get(&record)
    }
}

/// The fields that are asked for, by record and epoch (`None`: the current one).
#[derive(Debug, Default, Clone)]
pub struct Wish(BTreeMap<(Record, Option<Epoch>), Wanted>);

/// The fields of one record that are asked for.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Wanted {
    /// The fields whose keys are needed.
    fields: FieldSet,
    /// The fields that the record lacks.
    unset: FieldSet,
}

impl Wanted {
    const fn is_empty(self) -> bool {
        self.fields.is_empty() && self.unset.is_empty()
    }
}

impl Wish {
    /// Adds fields of a record. Fields that are added twice are asked for once.
    pub fn add(&mut self, record: Record, epoch: Option<Epoch>, fields: FieldSet) {
        let wanted = self.0.entry((record, epoch)).or_default();
        wanted.fields = wanted.fields.union(fields);
    }

    /// Adds a record that a caller wants to read. The fields that are not there are asked for as
    /// well, because the answer tells that they are not.
    pub fn add_asked(&mut self, asked: Asked) {
        let (record, epoch, fields, unset) = match asked {
            // Its epoch may be gone already, if nothing was sealed under it.
            Asked::Stored(SealedRecord { record, fields: FieldSet::EMPTY, .. }, unset)
                if !unset.is_empty() =>
            {
                (record, None, FieldSet::EMPTY, unset)
            }
            Asked::Stored(SealedRecord { record, epoch, fields }, unset) => {
                (record, Some(epoch), fields, unset)
            }
            Asked::Missing(record, unset) => (record, None, FieldSet::EMPTY, unset),
        };
        self.add(record, epoch, fields);
        let wanted = self.0.entry((record, epoch)).or_default();
        wanted.unset = wanted.unset.union(unset);
    }

    /// Whether there is nothing to ask for.
    pub fn is_empty(&self) -> bool {
        self.0.values().all(|wanted| wanted.is_empty())
    }

    /// The groups of a call: one for each epoch and set of fields, with ascending records.
    pub fn groups(&self) -> Vec<KeyGroup> {
        let mut groups: BTreeMap<(Option<Epoch>, Wanted), Vec<Record>> = BTreeMap::new();
        for ((record, epoch), wanted) in &self.0 {
            if !wanted.is_empty() {
                groups.entry((*epoch, *wanted)).or_default().push(*record);
            }
        }
        let group = |((epoch, Wanted { fields, unset }), records)| KeyGroup {
            fields,
            unset,
            epoch,
            records,
        };
        groups.into_iter().map(group).collect()
    }

    /// The keys of an answer to `call`, which has the groups of this wish. Records without a field
    /// are included.
    pub fn released(
        &self,
        call: &ReleaseKeys,
        answer: ReleasedKeys,
        halves: &Halves,
    ) -> Result<Released, VaultError> {
        let decoys = answer.decoys.clone();
        let keys = by_epoch(call, answer, halves)?;
        let keys = keys.into_iter().map(|((record, _), keys)| (record, keys));
        let mut released = Released { decoys, ..self.released_without_keys() };
        released.keys.extend(keys);
        Ok(released)
    }

    /// The result if there is nothing to ask for.
    pub fn released_without_keys(&self) -> Released {
        let without = self.0.iter().filter(|(_, wanted)| wanted.is_empty());
        let without = without.map(|((record, epoch), _)| {
            let epoch = epoch.unwrap_or(Epoch(0));
            (*record, FieldKeys { record: *record, epoch, keys: BTreeMap::new() })
        });
        Released { keys: without.collect(), decoys: Vec::new() }
    }
}

/// The pairs of keys in an answer to `call`, which asked for each record under its old epoch and
/// under `to`.
pub fn resealing(
    records: &[SealedRecord],
    to: Epoch,
    call: &ReleaseKeys,
    answer: ReleasedKeys,
    halves: &Halves,
) -> Result<Resealing, VaultError> {
    let mut keys = by_epoch(call, answer, halves)?;
    let mut pairs = BTreeMap::new();
    for SealedRecord { record, epoch, .. } in records {
        let both = keys.remove(&(*record, *epoch)).zip(keys.remove(&(*record, to)));
        if let Some((old, new)) = both {
            pairs.insert(*record, ResealKeys { old, new });
        }
    }
    Ok(Resealing { keys: pairs })
}

/// The keys of an answer, by epoch, combined with the halves after comparing the answer with its call.
fn by_epoch(
    call: &ReleaseKeys,
    answer: ReleasedKeys,
    halves: &Halves,
) -> Result<BTreeMap<(Record, Epoch), FieldKeys>, VaultError> {
    if !answer.answers(call) {
        return Err(VaultError::Mismatch);
    }
    let mut all = BTreeMap::new();
    for (asked, released) in call.groups.iter().zip(answer.groups) {
        let epoch = released.epoch;
        for RecordKeys { record, keys } in released.records {
            let combine =
                |(field, part)| (field, halves.combine(SealedAs { record, field, epoch }, part));
            let keys = asked.fields.iter().zip(keys).map(combine).collect();
            all.insert((record, epoch), FieldKeys { record, epoch, keys });
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests;
