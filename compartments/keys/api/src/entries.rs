//! Entries of the release log, for copying, witnessing and checking it.

use cofferdam_core::Call;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::checkpoints::NodeHash;

/// Reads entries of the log as they are stored.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadEntries {
    /// The index of the first entry.
    pub from: u64,
    /// The most entries of the answer. The answer may hold fewer, and stops at about 4 MiB.
    #[schemars(extend("examples" = [1_000]))]
    pub limit: u32,
}

/// Entries in the order of the log.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct LogEntries {
    /// The encoded entries; [`Entry::decode`](crate::Entry::decode) reads each.
    pub entries: Vec<Vec<u8>>,
}

impl Call for ReadEntries {
    const PATH: &'static str = "/v1/entries/read";
    const COMPACT: bool = true;
    type Answer = LogEntries;
}

/// Proves that an entry is in the tree.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProveEntry {
    /// The index of the entry.
    pub index: u64,
    /// The size of the tree, at most the size of the log; 0 for the log as it is now.
    #[schemars(extend("examples" = [1_000]))]
    pub size: u64,
}

/// An inclusion proof (RFC 6962, section 2.1.1).
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Inclusion {
    /// The size of the tree for which the proof holds.
    pub size: u64,
    /// The hash of the entry.
    pub leaf: NodeHash,
    /// The hashes from the neighbour of the leaf to the neighbour below the root.
    pub proof: Vec<NodeHash>,
}

impl Call for ProveEntry {
    const PATH: &'static str = "/v1/entries/prove";
    type Answer = Inclusion;
}
