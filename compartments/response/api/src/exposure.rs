//! What the fallen hosts gave up.

use std::collections::BTreeMap;

use cofferdam_core::{Call, CallerName, Domain, Field, FieldSet, ProblemType, Record, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema::map_by;
use crate::{
    AccessLog, Doubt, FallenHost, INCIDENT_CLOSED, IncidentId, NOT_SCOPED, TABLE_EMPTY, Unresolved,
};

/// How far a field of a person was exposed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// It was released to a fallen host.
    Read,
    /// It was typed at a fallen host, or brought there.
    Presented,
    /// A grant of a fallen host covered it, and nothing shows that it was read or presented.
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

/// Computes the exposure from the logs, and keeps it with the incident.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScopeIncident {
    /// The incident.
    pub incident: IncidentId,
    /// Reads every entry as well as the indexes, and counts what either says. This is slower; a
    /// disagreement is among the doubts.
    #[serde(default)]
    pub from_log: bool,
}

impl Call for ScopeIncident {
    const PATH: &'static str = "/v1/incidents/scope";
    const PROBLEMS: &'static [ProblemType] = &[INCIDENT_CLOSED, TABLE_EMPTY];
    type Answer = Exposure;
}

/// The exposure in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Exposure {
    /// The incident.
    pub incident: IncidentId,
    /// When it was computed.
    pub computed: Timestamp,
    /// The end of the window that it covers.
    pub until: Timestamp,
    /// Customers with a field read, with a field presented, and within reach. Each is counted once,
    /// at the worst level.
    pub people: LevelCounts,
    /// People who are counted as read because of a doubt alone: nothing shows that they were.
    pub assumed: u64,
    /// Customers at each level, field by field. Each is counted once, at the worst level.
    #[schemars(schema_with = "map_by::<Field, LevelCounts>")]
    pub fields: BTreeMap<Field, LevelCounts>,
    /// People with a field read or presented, by country and region as `US-KY` or `DE`; `unknown`
    /// for people without a country.
    pub jurisdictions: BTreeMap<String, u64>,
    /// The same people by language.
    pub languages: BTreeMap<String, u64>,
    /// Of the same people, those known to be minors.
    pub minors: u64,
    /// Of the same people, those whom no e-mail reached.
    pub undeliverable: u64,
    /// All customers: those of `accounts`, or the people of the brought table.
    pub customers: u64,
    /// What each fallen host gave up because of its kind.
    pub given_up: Vec<GivenUp>,
    /// The compartments of which the fallen hosts got nothing.
    pub untouched: Vec<Untouched>,
    /// The release logs that it was computed from.
    pub logs: Vec<LogProof>,
    /// The access logs that it was computed from, if it is about the brought table.
    #[serde(default)]
    pub access_logs: Vec<AccessLog>,
    /// Accesses of fallen hosts that count as everybody's, at most a thousand.
    #[serde(default)]
    pub unresolved: Vec<Unresolved>,
    /// What could not be known for sure.
    pub doubts: Vec<Doubt>,
}

/// What a fallen host gave up because of its kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GivenUp {
    /// The host.
    pub host: FallenHost,
    /// A sentence for people.
    pub what: String,
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
    /// The compartment's domain.
    pub domain: Domain,
    /// Records that it holds.
    pub records: u64,
    /// Records released to the fallen hosts in the window: always 0.
    pub released: u64,
    /// Whether a fallen host had a grant to read there.
    pub granted: bool,
}

/// The part of a release log that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogProof {
    /// Its size in entries.
    pub size: u64,
    /// The root hash, base64, as in the checkpoint.
    pub root: String,
    /// The checkpoint, a signed note.
    pub checkpoint: String,
    /// The last checkpoint that `response` cosigned, with both signatures.
    pub cosigned: Option<String>,
}

/// Reads who is exposed in one field at one level, as a bitmap.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadExposure {
    /// The incident.
    pub incident: IncidentId,
    /// The level.
    pub level: Level,
    /// The field.
    pub field: Field,
}

/// A set of records.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct RecordBitmap {
    /// A Roaring bitmap in the portable serialisation.
    pub roaring: Vec<u8>,
}

impl Call for ReadExposure {
    const PATH: &'static str = "/v1/exposures/read";
    const PROBLEMS: &'static [ProblemType] = &[NOT_SCOPED];
    const COMPACT: bool = true;
    type Answer = RecordBitmap;
}

/// Asks what became of one person's data: "was I affected, by what, and when?"
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadPerson {
    /// The incident, which must have been scoped.
    pub incident: IncidentId,
    /// The person's record.
    pub record: Record,
}

impl Call for ReadPerson {
    const PATH: &'static str = "/v1/persons/read";
    const PROBLEMS: &'static [ProblemType] = &[NOT_SCOPED];
    type Answer = PersonExposure;
}

/// What became of one person's data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PersonExposure {
    /// The person's record.
    pub record: Record,
    /// Whether the customer exists now.
    pub exists: bool,
    /// Each exposed field at its worst level.
    #[schemars(schema_with = "map_by::<Field, Level>")]
    pub fields: BTreeMap<Field, Level>,
    /// What the logs show, by the hour, oldest first.
    pub events: Vec<PersonEvent>,
}

/// What happened to a person's data within an hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PersonEvent {
    /// Not before.
    pub from: Timestamp,
    /// Not after.
    pub to: Timestamp,
    /// The caller that was served.
    pub caller: CallerName,
    /// The compartment that it was served through.
    pub via: CallerName,
    /// How far it went.
    pub level: Level,
    /// The fields.
    pub fields: FieldSet,
}
