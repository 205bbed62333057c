//! The calls of `keys`.

use cofferdam_core::{
    Call, CallerName, Domain, Epoch, FieldKey, FieldSet, KeyBytes, Operation, Record, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::{SignedWarrant, WarrantId};

/// Asks for the keys of `fields` of each of `records`. Only the compartment that fronts the
/// domain may call; `caller` is the client it serves, whose grant and budget count.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseKeys {
    /// Whose keys.
    pub domain: Domain,
    /// For whom: the identity that called the compartment.
    pub caller: CallerName,
    /// [`Operation::Release`] to read, [`Operation::Seal`] to write.
    pub operation: Operation,
    /// Which fields, all of the domain.
    pub fields: FieldSet,
    /// The epoch that the records are sealed under; `None` takes the current one (to seal).
    pub epoch: Option<Epoch>,
    /// One to [`MAX_BATCH`](crate::MAX_BATCH) records, ascending, none twice.
    pub records: Vec<Record>,
    /// The warrant that this release draws on, where the caller's grant does not cover it.
    pub warrant: Option<WarrantId>,
}

/// The keys, record by record.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReleasedKeys {
    /// The epoch the keys belong to.
    pub epoch: Epoch,
    /// In the order of the request.
    pub records: Vec<RecordKeys>,
    /// Records withheld because nobody lives there: only a release under a warrant says so.
    pub decoys: Vec<Record>,
}

/// The keys of one record.
#[derive(Debug, Serialize, Deserialize)]
pub struct RecordKeys {
    /// The record.
    pub record: Record,
    /// One key a field, in the order of the fields' numbers.
    pub keys: Vec<FieldKey>,
}

impl ReleasedKeys {
    /// Whether this is an answer to `call`, for every record of it: a key each for the fields of
    /// each record, in their order; under a warrant a record may be withheld as a decoy instead.
    #[must_use]
    pub fn answers(&self, call: &ReleaseKeys) -> bool {
        let withheld = |record: &Record| call.warrant.is_some() && self.decoys.contains(record);
        let expected = call.records.iter().filter(|record| !withheld(record));
        let whole = |of: &RecordKeys| of.keys.len() == call.fields.len();
        call.epoch.is_none_or(|epoch| epoch == self.epoch)
            && expected.eq(self.records.iter().map(|of| &of.record))
            && self.records.iter().all(whole)
    }
}

impl Call for ReleaseKeys {
    const PATH: &'static str = "/v1/release";
    const COMPACT: bool = true;
    type Answer = ReleasedKeys;
}

/// Asks for the pepper to be applied to password hashes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HardenPasswords {
    /// For whom: where the passwords were typed.
    pub caller: CallerName,
    /// One to [`MAX_BATCH`](crate::MAX_BATCH) hashes.
    pub items: Vec<HardenItem>,
}

/// One password hash to harden.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HardenItem {
    /// Whose password it is said to be; [`Record::NOBODY`] for an unknown address.
    pub record: Record,
    /// 32 bytes made from the password: Argon2id's output, or a digest of a legacy hash.
    pub hash: KeyBytes,
}

/// The verifiers, in the order of the request: `HMAC-SHA-256(pepper, record ‖ hash)`.
#[derive(Debug, Serialize, Deserialize)]
pub struct HardenedPasswords {
    /// One verifier an item.
    pub verifiers: Vec<KeyBytes>,
}

impl Call for HardenPasswords {
    const PATH: &'static str = "/v1/harden";
    const COMPACT: bool = true;
    type Answer = HardenedPasswords;
}

/// Asks for look-up indexes of e-mail addresses.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexAddresses {
    /// For whom.
    pub caller: CallerName,
    /// SHA-256 of each normalised address: `keys` never sees the address itself.
    pub digests: Vec<KeyBytes>,
}

/// The indexes, in the order of the request: `HMAC-SHA-256(index key, digest)`.
#[derive(Debug, Serialize, Deserialize)]
pub struct IndexedAddresses {
    /// One index a digest.
    pub indexes: Vec<KeyBytes>,
}

impl Call for IndexAddresses {
    const PATH: &'static str = "/v1/index";
    const COMPACT: bool = true;
    type Answer = IndexedAddresses;
}

/// Asks, once, which of a range of new record numbers are decoys, so that `accounts` can fill
/// them. A range that was asked for before is refused, with an alarm: a fallen `accounts` can't
/// learn where the decoys are.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimDecoys {
    /// Whose record numbers.
    pub domain: Domain,
    /// The first number that nobody asked for yet.
    pub from: Record,
    /// How many numbers, at most 100,000.
    pub count: u32,
}

/// The decoys in the range, ascending.
#[derive(Debug, Serialize, Deserialize)]
pub struct ClaimedDecoys {
    /// Record numbers.
    pub decoys: Vec<Record>,
}

impl Call for ClaimDecoys {
    const PATH: &'static str = "/v1/decoys/claim";
    type Answer = ClaimedDecoys;
}

/// Refuses a caller everything from now on, or no longer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FreezeCaller {
    /// Who.
    pub caller: CallerName,
    /// Frozen, or thawed.
    pub frozen: bool,
    /// Why, at most 500 characters, without personal data: it stands in the log.
    pub reason: String,
}

impl Call for FreezeCaller {
    const PATH: &'static str = "/v1/callers/freeze";
    type Answer = ();
}

/// Lists the callers with what they may do.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListCallers {}

/// One caller as `keys` knows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CallerStatus {
    /// Who.
    pub caller: CallerName,
    /// Whether it is frozen.
    pub frozen: bool,
    /// What it may do, where.
    pub grants: Vec<Grant>,
    /// Records an hour, at most, that it may have released.
    pub release_per_hour: u64,
    /// Records released to it in the last hour.
    pub released_last_hour: u64,
}

/// Leave to do one operation on some fields of one domain. Harden and index name no field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Where.
    pub domain: Domain,
    /// What.
    pub operation: Operation,
    /// On which fields.
    #[serde(default)]
    pub fields: FieldSet,
}

impl Call for ListCallers {
    const PATH: &'static str = "/v1/callers/list";
    type Answer = Vec<CallerStatus>;
}

/// Opens a warrant.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenWarrant {
    /// The warrant with its two signatures.
    pub warrant: SignedWarrant,
}

impl Call for OpenWarrant {
    const PATH: &'static str = "/v1/warrants/open";
    type Answer = WarrantId;
}

/// Ends a warrant before its time.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloseWarrant {
    /// Which.
    pub warrant: WarrantId,
}

impl Call for CloseWarrant {
    const PATH: &'static str = "/v1/warrants/close";
    type Answer = ();
}

/// Reads alarms, oldest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadAlarms {
    /// Only alarms that changed after this sequence number; 0 for all.
    pub after: u64,
}

/// Something that somebody should look at. Repeats within a minute are one alarm with a count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// Grows with every alarm and every repeat.
    pub seq: u64,
    /// When it rang first.
    pub first: Timestamp,
    /// When it rang last.
    pub last: Timestamp,
    /// What it is about.
    pub kind: AlarmKind,
    /// Who set it off, where a caller did.
    pub caller: Option<CallerName>,
    /// How often it rang.
    pub count: u64,
    /// One sentence, without personal data.
    pub detail: String,
}

/// What an alarm is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmKind {
    /// A caller asked for more than its budget.
    Budget,
    /// A caller opened a record where nobody lives.
    Decoy,
    /// A caller asked for what it has no grant for.
    RefusedGrant,
    /// A frozen caller went on asking.
    Frozen,
    /// Decoys were asked for a second time.
    DecoyProbe,
    /// A warrant was refused.
    RefusedWarrant,
    /// The log's end was damaged and was cut, or the log does not match its checkpoint.
    LogDamage,
}

impl AlarmKind {
    /// The name used in the store and in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Budget => "budget",
            Self::Decoy => "decoy",
            Self::RefusedGrant => "refused_grant",
            Self::Frozen => "frozen",
            Self::DecoyProbe => "decoy_probe",
            Self::RefusedWarrant => "refused_warrant",
            Self::LogDamage => "log_damage",
        }
    }

    /// The kind with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        const ALL: [AlarmKind; 7] = [
            AlarmKind::Budget,
            AlarmKind::Decoy,
            AlarmKind::RefusedGrant,
            AlarmKind::Frozen,
            AlarmKind::DecoyProbe,
            AlarmKind::RefusedWarrant,
            AlarmKind::LogDamage,
        ];
        ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl Call for ReadAlarms {
    const PATH: &'static str = "/v1/alarms/read";
    type Answer = Vec<Alarm>;
}

/// Asks for the log's state: a checkpoint as a signed note.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadCheckpoint {
    /// The size of the tree the reader has already; the answer proves that the log only grew.
    pub since: u64,
}

/// A checkpoint, and the proof that it extends the reader's tree.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CheckpointAnswer {
    /// The signed note (C2SP tlog-checkpoint).
    pub note: String,
    /// The RFC 6962 consistency proof from `since`, empty when `since` is 0 or the size itself;
    /// hashes of 32 bytes.
    pub consistency: Vec<NodeHash>,
}

/// A node of the Merkle tree, 32 bytes.
pub type NodeHash = [u8; 32];

impl Call for ReadCheckpoint {
    const PATH: &'static str = "/v1/log/checkpoint";
    type Answer = CheckpointAnswer;
}

/// Reads entries of the log, as they stand in it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadEntries {
    /// The index of the first entry wanted.
    pub from: u64,
    /// How many at most; the answer may hold fewer, and stops at about 4 MiB.
    pub limit: u32,
}

/// Entries in the order of the log; decode each with [`Entry::decode`](crate::Entry::decode).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LogEntries {
    /// The raw entries.
    pub entries: Vec<Vec<u8>>,
}

impl Call for ReadEntries {
    const PATH: &'static str = "/v1/log/entries";
    const COMPACT: bool = true;
    type Answer = LogEntries;
}
