//! What an evidence bag is made of. The CLI writes the bag; `response` gives its content and signs.

use cofferdam_core::Call;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::IncidentId;

/// Reads the log's entries that concern the fallen hosts in the window, with the proof that each
/// stands in the tree that the exposure was computed from.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadScoped {
    /// Which incident, which must have been scoped.
    pub incident: IncidentId,
    /// Which log, as a place in the exposure's logs.
    pub log: u32,
    /// The first entry wanted.
    pub from: u64,
}

/// Entries of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScopedEntries {
    /// Ascending.
    pub entries: Vec<ScopedEntry>,
    /// From where to go on; `None` at the end.
    pub next: Option<u64>,
}

/// One entry, and its inclusion proof (RFC 6962, section 2.1.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScopedEntry {
    /// Its index in the log.
    pub index: u64,
    /// Its bytes.
    pub entry: Vec<u8>,
    /// Hashes from the leaf's sibling up.
    pub proof: Vec<[u8; 32]>,
}

impl Call for ReadScoped {
    const PATH: &'static str = "/v1/evidence/entries";
    const COMPACT: bool = true;
    type Answer = ScopedEntries;
}

/// Reads the verifier keys that the evidence rests on, and the notice as it was published.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadGrounds {
    /// Which incident.
    pub incident: IncidentId,
}

/// What the evidence rests on. Keys are c2sp.org/signed-note verifier keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Grounds {
    /// The shop.
    pub organization: String,
    /// The logs', in the order of the exposure's logs.
    pub log_keys: Vec<String>,
    /// The witness's.
    pub witness_key: String,
    /// The one that signs bags.
    pub bag_key: String,
    /// The published notice, if there is one.
    pub notice: Option<String>,
}

impl Call for ReadGrounds {
    const PATH: &'static str = "/v1/evidence/grounds";
    type Answer = Grounds;
}

/// Signs a bag: three lines, `cofferdam evidence bag v1`, its name, and the base64 SHA-256 of its
/// tag manifest.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SealBag {
    /// Which incident.
    pub incident: IncidentId,
    /// The lines.
    pub statement: String,
}

impl Call for SealBag {
    const PATH: &'static str = "/v1/evidence/seal";
    /// The signed note.
    type Answer = String;
}

/// The name of an incident's bag.
#[must_use]
pub fn bag_name(incident: IncidentId) -> String {
    format!("incident {incident}")
}
