//! The contents of an evidence bag. The CLI writes the bag; `response` gives its contents and
//! signs.

use cofferdam_core::{Call, ProblemType};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{IncidentId, NOT_SCOPED};

/// Lists the log entries that concern the fallen hosts in the window. Each has the proof that it
/// stands in the tree that the exposure was computed from.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListEvidence {
    /// The incident, which must have been scoped.
    pub incident: IncidentId,
    /// The log, by its place among the exposure's logs, from 0.
    pub log: u32,
    /// The number of the first entry wanted.
    pub from: u64,
}

/// A page of log entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EvidencePage {
    /// The entries, ascending.
    pub entries: Vec<EvidenceEntry>,
    /// The number with which the next page begins; `None` on the last page.
    pub next: Option<u64>,
}

/// One entry, and its inclusion proof (RFC 6962, section 2.1.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EvidenceEntry {
    /// The number of the entry in the log.
    pub index: u64,
    /// The bytes of the entry.
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

/// Lists the anchors of an incident's journal in one log. Each has the proof that it stands in the log.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListAnchors {
    /// The incident, or 0 for the journal of acts that belong to none.
    pub incident: IncidentId,
    /// The log, by its place among the keys of the [grounds](Grounds), from 0.
    pub log: u32,
    /// The number of the first log entry wanted.
    pub from: u64,
    /// The size of the tree for the proofs, as the first page named it; none for the first page.
    pub size: Option<u64>,
}

/// A page of anchors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AnchorPage {
    /// The size of the tree to which the proofs lead.
    pub size: u64,
    /// The signed checkpoint of that tree (C2SP tlog-checkpoint); on the first page only, and none
    /// if nothing was copied yet.
    pub checkpoint: Option<String>,
    /// The log entries with the anchors, ascending.
    pub anchors: Vec<EvidenceEntry>,
    /// The number with which the next page begins; `None` on the last page.
    pub next: Option<u64>,
}

impl Call for ListAnchors {
    const PATH: &'static str = "/v1/anchors/list";
    const COMPACT: bool = true;
    type Answer = AnchorPage;
}

/// Reads the grounds of the evidence: the keys that verify it, and the published notice.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadGrounds {
    /// The incident of the evidence.
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

/// Seals a bag: signs three lines, `cofferdam evidence bag v1`, the bag's name, and the base64
/// SHA-256 of its tag manifest.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SealBag {
    /// The incident of the bag.
    pub incident: IncidentId,
    /// The statement: the three lines.
    pub statement: String,
}

impl Call for SealBag {
    const PATH: &'static str = "/v1/bags/seal";
    /// The signed note of the statement.
    type Answer = String;
}

/// Gives the name of an incident's bag.
#[must_use]
pub fn bag_name(incident: IncidentId) -> String {
    format!("incident {incident}")
}
