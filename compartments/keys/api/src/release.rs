//! Keys are released, record by record and field by field.

use std::collections::BTreeSet;

use cofferdam_core::{Call, CallerName, Domain, Epoch, FieldKey, FieldSet, Operation, Record};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::WarrantId;

/// Asks for field keys. Only the compartment that fronts the domain may call; `caller` is the
/// client it serves, whose grant and budget count. All groups are released, or none.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseKeys {
    /// Whose keys.
    pub domain: Domain,
    /// For whom: the identity that called the compartment.
    pub caller: CallerName,
    /// [`Operation::Release`] to read, [`Operation::Seal`] to write, [`Operation::Reseal`] to
    /// move the compartment's own records to a new epoch.
    pub operation: Operation,
    /// Together one to [`MAX_BATCH`](crate::MAX_BATCH) records.
    pub groups: Vec<KeyGroup>,
    /// The warrant that this release draws on, where the caller's grant does not cover it.
    pub warrant: Option<WarrantId>,
}

/// Records of which the same keys are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyGroup {
    /// Which fields, all of the domain.
    pub fields: FieldSet,
    /// The epoch that the records are sealed under; `None` takes the current one.
    pub epoch: Option<Epoch>,
    /// Ascending, none twice.
    pub records: Vec<Record>,
}

/// The keys, in the order of the request.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct ReleasedKeys {
    /// One a group of the request.
    pub groups: Vec<ReleasedGroup>,
    /// Records withheld because nobody lives there: only a release under a warrant says so.
    pub decoys: Vec<Record>,
    /// Records withheld because they were erased: their keys are never released again.
    pub erased: Vec<Record>,
}

/// The keys of one group.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct ReleasedGroup {
    /// The epoch the keys belong to.
    pub epoch: Epoch,
    /// Without those that were withheld, in the order of the request.
    pub records: Vec<RecordKeys>,
}

/// The keys of one record.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct RecordKeys {
    /// The record.
    pub record: Record,
    /// One key a field, in the order of the fields' numbers.
    pub keys: Vec<FieldKey>,
}

impl ReleaseKeys {
    /// How many records are asked for, each group's counted.
    #[must_use]
    pub fn count(&self) -> usize {
        self.groups.iter().map(|group| group.records.len()).sum()
    }
}

impl ReleasedKeys {
    /// Whether this is an answer to `call`: a key for each field of each record, in their order.
    /// Only records that were asked for may be withheld, and decoys under a warrant only.
    #[must_use]
    pub fn answers(&self, call: &ReleaseKeys) -> bool {
        if call.warrant.is_none() && !self.decoys.is_empty() {
            return false;
        }
        let withheld: BTreeSet<&Record> = self.erased.iter().chain(&self.decoys).collect();
        let asked: BTreeSet<&Record> = call.groups.iter().flat_map(|of| &of.records).collect();
        let matches = |(asked, got): (&KeyGroup, &ReleasedGroup)| {
            let expected = asked.records.iter().filter(|record| !withheld.contains(record));
            asked.epoch.is_none_or(|epoch| epoch == got.epoch)
                && expected.eq(got.records.iter().map(|of| &of.record))
                && got.records.iter().all(|of| of.keys.len() == asked.fields.len())
        };
        withheld.is_subset(&asked)
            && self.groups.len() == call.groups.len()
            && call.groups.iter().zip(&self.groups).all(matches)
    }
}

impl Call for ReleaseKeys {
    const PATH: &'static str = "/v1/keys/release";
    const COMPACT: bool = true;
    type Answer = ReleasedKeys;
}

/// Erases records for ever: their keys, of every epoch, are never released again, so that what
/// backups hold of them stays closed. Can't be undone.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EraseRecords {
    /// Where.
    pub domain: Domain,
    /// For whom: who asked the compartment to erase.
    pub caller: CallerName,
    /// One to [`MAX_BATCH`](crate::MAX_BATCH) records, ascending, none twice.
    #[schemars(length(min = 1, max = crate::MAX_BATCH))]
    pub records: Vec<Record>,
}

impl Call for EraseRecords {
    const PATH: &'static str = "/v1/records/erase";
    type Answer = ();
}
