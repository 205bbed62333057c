//! Field keys, which `keys` releases record by record and field by field.

use std::collections::BTreeSet;

use cofferdam_core::{
    Call, CallerName, Domain, Epoch, FieldKey, FieldSet, Operation, ProblemType, Record,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::presence::Presence;
use crate::problems::{NOT_PRESENT, RECORDS_SEALED};
use crate::warrants::WarrantId;

/// Releases field keys: all that are asked for, or none. Only the compartment in front of the
/// domain may ask. The grant and the budget are those of the caller that it serves.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseKeys {
    /// The domain of the records.
    pub domain: Domain,
    /// The caller whom the compartment serves.
    pub caller: CallerName,
    /// [`Operation::Release`] to read, [`Operation::Seal`] to write, [`Operation::Reseal`] to move
    /// the compartment's records to a new epoch.
    pub operation: Operation,
    /// The records, one to [`MAX_BATCH`](crate::MAX_BATCH) in all groups. No key is asked for
    /// twice.
    pub groups: Vec<KeyGroup>,
    /// The warrant to use, if the caller's grant does not cover the release.
    pub warrant: Option<WarrantId>,
    /// The proof that the customer is signed in at the caller, for a release of the customer's own
    /// record. A grant of [`Operation::ReleasePresent`] needs it.
    #[serde(default)]
    pub presence: Option<Presence>,
}

/// Records that need the keys of the same fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyGroup {
    /// The fields, all of the domain, whose keys are needed.
    pub fields: FieldSet,
    /// The fields, all of the domain, that were asked for as well and that the records lack. The
    /// caller learns that they are unset, so its grant must cover them, and the log tells. Only a
    /// release to read names such fields; a record that does not exist lacks all that were asked
    /// for.
    #[serde(default)]
    pub unset: FieldSet,
    /// The epoch under which the records are sealed; `None` for the current one.
    pub epoch: Option<Epoch>,
    /// The records, ascending, none twice.
    pub records: Vec<Record>,
}

/// The keys of the requested groups, without those that are withheld.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct ReleasedKeys {
    /// The released groups, in the order of the request.
    pub groups: Vec<ReleasedGroup>,
    /// The records that are withheld as decoys. Only a release under a warrant names them.
    pub decoys: Vec<Record>,
    /// The records that are withheld because they were erased.
    pub erased: Vec<Record>,
}

/// The keys of one group.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct ReleasedGroup {
    /// The epoch of the keys.
    pub epoch: Epoch,
    /// The records that are not withheld, in the order of the request.
    pub records: Vec<RecordKeys>,
}

/// The keys of one record.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct RecordKeys {
    /// The record's number.
    pub record: Record,
    /// The keys, one for each field, in the order of the fields' numbers.
    pub keys: Vec<FieldKey>,
}

impl ReleaseKeys {
    /// Counts the records that are asked for. A record counts in each of its groups.
    #[must_use]
    pub fn count(&self) -> usize {
        self.groups.iter().map(|group| group.records.len()).sum()
    }
}

impl ReleasedKeys {
    /// Whether this is an answer to `call`: there is a key for each field of each record, in their
    /// order. Only records that were asked for may be withheld, and decoys only under a warrant.
    #[must_use]
    pub fn answers(&self, call: &ReleaseKeys) -> bool {
        if call.warrant.is_none() && !self.decoys.is_empty() {
            return false;
        }
        let withheld: BTreeSet<&Record> = self.erased.iter().chain(&self.decoys).collect();
        let asked: BTreeSet<&Record> = call.groups.iter().flat_map(|of| &of.records).collect();
        let matches = |(asked, released): (&KeyGroup, &ReleasedGroup)| {
            let expected = asked.records.iter().filter(|record| !withheld.contains(record));
            asked.epoch.is_none_or(|epoch| epoch == released.epoch)
                && expected.eq(released.records.iter().map(|of| &of.record))
                && released.records.iter().all(|of| of.keys.len() == asked.fields.len())
        };
        withheld.is_subset(&asked)
            && self.groups.len() == call.groups.len()
            && call.groups.iter().zip(&self.groups).all(matches)
    }
}

impl Call for ReleaseKeys {
    const PATH: &'static str = "/v1/keys/release";
    const COMPACT: bool = true;
    const PROBLEMS: &'static [ProblemType] = &[NOT_PRESENT, RECORDS_SEALED];
    type Answer = ReleasedKeys;
}
