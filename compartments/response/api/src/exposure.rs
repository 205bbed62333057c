//! What the fallen hosts gave up.

use std::collections::BTreeMap;

use cofferdam_core::{Call, CallerName, Domain, Field, FieldSet, Record, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AccessLog, FallenHost, IncidentId, Unresolved};

/// How far a field of a person was exposed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// It was released to a fallen host.
    Read,
    /// It was typed at, or brought to, a fallen host.
    Presented,
    /// A fallen host's grant covered it, and nothing shows that it was read or presented.
    Reachable,
}

impl Level {
    /// Every level.
    pub const ALL: [Self; 3] = [Self::Read, Self::Presented, Self::Reachable];

    /// The name used in routes and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Presented => "presented",
            Self::Reachable => "reachable",
        }
    }
}

/// Computes the exposure from the release log, and keeps it with the incident.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScopeIncident {
    /// Which.
    pub incident: IncidentId,
    /// From the entries themselves instead of their index: the same, and slower. Whether the index
    /// agrees is among the doubts.
    #[serde(default)]
    pub from_log: bool,
}

impl Call for ScopeIncident {
    const PATH: &'static str = "/v1/incidents/scope";
    type Answer = Exposure;
}

/// The exposure in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Exposure {
    /// Which incident.
    pub incident: IncidentId,
    /// When it was computed.
    pub computed: Timestamp,
    /// The window's end that it holds for.
    pub until: Timestamp,
    /// Customers with a field read, with a field presented, and within reach, each counted once
    /// at the worst level that it reached.
    pub people: LevelCounts,
    /// Of the people read, those of whom nothing shows it: a doubt counts them as read.
    pub assumed: u64,
    /// Field by field, customers at each level, each counted once at the worst.
    pub fields: BTreeMap<Field, LevelCounts>,
    /// People with a field read or presented, by country and region as `US-KY`, `DE`; `unknown`
    /// for those without one.
    pub jurisdictions: BTreeMap<String, u64>,
    /// The same people by language.
    pub languages: BTreeMap<String, u64>,
    /// Of the same people, those known to be minors.
    pub minors: u64,
    /// Of the same people, those whom no letter reached.
    pub undeliverable: u64,
    /// All customers that `accounts` holds.
    pub customers: u64,
    /// What each fallen host gave up by being what it is.
    pub given_up: Vec<GivenUp>,
    /// What the fallen hosts got from each compartment that was not touched, and its proof.
    pub untouched: Vec<Untouched>,
    /// The logs that it was computed from.
    pub logs: Vec<LogProof>,
    /// The access logs that it was computed from, where it is about the roster.
    #[serde(default)]
    pub access_logs: Vec<AccessLog>,
    /// Accesses of fallen hosts that count as everybody's, up to a thousand.
    #[serde(default)]
    pub unresolved: Vec<Unresolved>,
    /// What could not be known for sure; empty when nothing.
    pub doubts: Vec<Doubt>,
}

/// What a fallen host gave up by being what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GivenUp {
    /// The host.
    pub host: FallenHost,
    /// What, in a sentence.
    pub what: String,
}

/// Something that could not be known for sure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Doubt {
    /// What, in a sentence.
    pub what: String,
    /// Whether everything that the fallen hosts could have reached counts as read for it.
    pub counts_as_read: bool,
}

/// How many customers at each level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LevelCounts {
    /// Read.
    pub read: u64,
    /// Presented.
    pub presented: u64,
    /// Within reach.
    pub reachable: u64,
}

/// A compartment of which the fallen hosts got nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Untouched {
    /// Which domain.
    pub domain: Domain,
    /// Records it holds.
    pub records: u64,
    /// Records released to the fallen hosts in the window: 0.
    pub released: u64,
    /// Whether any fallen host had a grant to read there.
    pub granted: bool,
}

/// The part of the release log that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogProof {
    /// Entries.
    pub size: u64,
    /// The root hash, base64, as in the checkpoint.
    pub root: String,
    /// The checkpoint, a signed note.
    pub checkpoint: String,
    /// The last checkpoint that this compartment cosigned, with both signatures.
    pub cosigned: Option<String>,
}

/// Reads who is exposed in one field at one level, as a bitmap.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadExposure {
    /// Which incident.
    pub incident: IncidentId,
    /// At which level.
    pub level: Level,
    /// In which field.
    pub field: Field,
}

/// A set of records.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct RecordBitmap {
    /// A Roaring bitmap in the portable serialisation.
    pub roaring: Vec<u8>,
}

impl Call for ReadExposure {
    const PATH: &'static str = "/v1/incidents/exposure";
    const COMPACT: bool = true;
    type Answer = RecordBitmap;
}

/// Asks what became of one person's data: "was I affected, by what, and when".
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadPerson {
    /// Which incident, which must have been scoped.
    pub incident: IncidentId,
    /// Whose record.
    pub record: Record,
}

impl Call for ReadPerson {
    const PATH: &'static str = "/v1/incidents/person";
    type Answer = PersonExposure;
}

/// What became of one person's data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PersonExposure {
    /// Whose.
    pub record: Record,
    /// Whether there is such a customer now.
    pub exists: bool,
    /// Each exposed field at its worst level.
    pub fields: BTreeMap<Field, Level>,
    /// What the log shows, oldest first, by the hour.
    pub events: Vec<PersonEvent>,
}

/// What happened to a person's data within an hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PersonEvent {
    /// Not before.
    pub from: Timestamp,
    /// Not after.
    pub to: Timestamp,
    /// For which caller.
    pub caller: CallerName,
    /// Through which compartment.
    pub via: CallerName,
    /// How far it went.
    pub level: Level,
    /// Which fields.
    pub fields: FieldSet,
}
