//! What the fallen hosts gave up.

use std::collections::BTreeMap;

use cofferdam_core::{Call, Domain, Field, Timestamp};
use serde::{Deserialize, Serialize};

use crate::IncidentId;

/// How far a field of a person was exposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeIncident {
    /// Which.
    pub incident: IncidentId,
}

impl Call for ScopeIncident {
    const PATH: &'static str = "/v1/incidents/scope";
    type Answer = Exposure;
}

/// The exposure in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Field by field, customers at each level, each counted once at the worst.
    pub fields: BTreeMap<Field, LevelCounts>,
    /// People with a field read or presented, by country and region as `US-KY`, `DE`; `unknown`
    /// for those without one.
    pub jurisdictions: BTreeMap<String, u64>,
    /// The same people by language.
    pub languages: BTreeMap<String, u64>,
    /// All customers that `accounts` holds.
    pub customers: u64,
    /// What the fallen hosts got from each compartment that was not touched, and its proof.
    pub untouched: Vec<Untouched>,
    /// The logs that it was computed from.
    pub logs: Vec<LogProof>,
    /// What could not be known for sure, in sentences; empty when nothing.
    pub doubts: Vec<String>,
}

/// How many customers at each level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelCounts {
    /// Read.
    pub read: u64,
    /// Presented.
    pub presented: u64,
    /// Within reach.
    pub reachable: u64,
}

/// A compartment of which the fallen hosts got nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogProof {
    /// Entries.
    pub size: u64,
    /// The root hash, base64, as in the checkpoint.
    pub root: String,
    /// The checkpoint, a signed note.
    pub checkpoint: String,
}

/// Reads who is exposed in one field at one level, as a bitmap.
#[derive(Debug, Clone, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RecordBitmap {
    /// A Roaring bitmap in the portable serialisation.
    pub roaring: Vec<u8>,
}

impl Call for ReadExposure {
    const PATH: &'static str = "/v1/incidents/exposure";
    const COMPACT: bool = true;
    type Answer = RecordBitmap;
}
