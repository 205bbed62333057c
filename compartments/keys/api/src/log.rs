//! The release log, for those who copy, witness and check it. Public tools read the same log as
//! C2SP tlog-tiles: `GET /checkpoint`, `GET /tile/…`.

use cofferdam_core::Call;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Asks for the log's state: a checkpoint as a signed note.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadCheckpoint {
    /// The size of the tree the reader has already; the answer proves that the log only grew.
    pub since: u64,
}

/// A checkpoint, and the proof that it extends the reader's tree.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
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
    const PATH: &'static str = "/v1/checkpoints/read";
    type Answer = CheckpointAnswer;
}

/// Reads entries of the log, as they stand in it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadEntries {
    /// The index of the first entry wanted.
    pub from: u64,
    /// How many at most; the answer may hold fewer, and stops at about 4 MiB.
    pub limit: u32,
}

/// Entries in the order of the log; decode each with [`Entry::decode`](crate::Entry::decode).
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct LogEntries {
    /// The raw entries.
    pub entries: Vec<Vec<u8>>,
}

impl Call for ReadEntries {
    const PATH: &'static str = "/v1/entries/read";
    const COMPACT: bool = true;
    type Answer = LogEntries;
}

/// Asks for the proof that one entry is in the tree.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProveEntry {
    /// The entry's index.
    pub index: u64,
    /// The size of the tree, at most the log's; 0 for the log as it is now.
    pub size: u64,
}

/// The RFC 6962 inclusion proof.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Inclusion {
    /// The size of the tree that it holds for.
    pub size: u64,
    /// The hash of the entry itself.
    pub leaf: NodeHash,
    /// From the leaf's neighbour to the root's.
    pub proof: Vec<NodeHash>,
}

impl Call for ProveEntry {
    const PATH: &'static str = "/v1/entries/prove";
    type Answer = Inclusion;
}

/// Hands in a witness's cosignature (C2SP tlog-cosignature, `cosignature/v1`): the checkpoint as
/// `keys` gave it, with the witness's signature line added. It is served beside the checkpoint.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CosignCheckpoint {
    /// The signed note with both signatures.
    pub note: String,
}

impl Call for CosignCheckpoint {
    const PATH: &'static str = "/v1/checkpoints/cosign";
    type Answer = ();
}
