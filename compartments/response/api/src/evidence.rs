//! What an evidence bag is made of. The CLI writes the bag; `response` gives its content and signs.

use cofferdam_core::{Call, ProblemType};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{IncidentId, NOT_SCOPED};

/// Lists the log entries that concern the fallen hosts in the window, each with the proof that it
/// stands in the tree that the exposure was computed from.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListEvidence {
    /// The incident, which must have been scoped.
    pub incident: IncidentId,
    /// The log, as its place among the exposure's logs.
    pub log: u32,
    /// The number of the first entry wanted.
    pub from: u64,
}

/// A page of log entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EvidencePage {
    /// The entries, ascending.
    pub entries: Vec<EvidenceEntry>,
    /// The number with which the next page begins; `None` at the end.
    pub next: Option<u64>,
}

/// One entry, and its inclusion proof (RFC 6962, section 2.1.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EvidenceEntry {
    /// Its number in the log.
    pub index: u64,
    /// Its bytes.
    pub entry: Vec<u8>,
    /// Hashes of 32 bytes, from the leaf's sibling up.
    #[schemars(with = "Vec<Vec<u8>>", extend("examples" = [[[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]]]))]
    pub proof: Vec<[u8; 32]>,
}

impl Call for ListEvidence {
    const PATH: &'static str = "/v1/evidence/list";
    const COMPACT: bool = true;
    const PROBLEMS: &'static [ProblemType] = &[NOT_SCOPED];
    type Answer = EvidencePage;
}

/// Reads the grounds of the evidence: the keys that verify it, and the notice as it was published.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadGrounds {
    /// The incident.
    pub incident: IncidentId,
}

/// The grounds of the evidence. Keys are c2sp.org/signed-note verifier keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Grounds {
    /// The shop's name.
    pub organization: String,
    /// The keys of the logs, in the order of the exposure's logs.
    pub log_keys: Vec<String>,
    /// The key of the witness.
    pub witness_key: String,
    /// The key that signs bags.
    pub bag_key: String,
    /// The published notice, if there is one.
    pub notice: Option<String>,
}

impl Call for ReadGrounds {
    const PATH: &'static str = "/v1/grounds/read";
    type Answer = Grounds;
}

/// Seals a bag: signs three lines, `cofferdam evidence bag v1`, the bag's name, and the base64 SHA-256
/// of its tag manifest.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SealBag {
    /// The incident.
    pub incident: IncidentId,
    /// The three lines.
    pub statement: String,
}

impl Call for SealBag {
    const PATH: &'static str = "/v1/bags/seal";
    /// The signed note.
    type Answer = String;
}

/// The name of an incident's bag.
#[must_use]
pub fn bag_name(incident: IncidentId) -> String {
    format!("incident {incident}")
}
