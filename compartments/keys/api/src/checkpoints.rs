//! Checkpoints of the release log, for copying, witnessing and checking it. Public tools read the
//! same log as C2SP tlog-tiles: `GET /checkpoint`, `GET /tile/…`.

use cofferdam_core::Call;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A node of the Merkle tree, 32 bytes.
pub type NodeHash = [u8; 32];

/// Reads the signed state of the log.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadCheckpoint {
    /// The size of the tree that the reader knows. The answer proves that the log has only grown
    /// since; 0 asks for no proof.
    #[schemars(extend("examples" = [900]))]
    pub since: u64,
}

/// A checkpoint, and the proof that it extends the tree of the reader.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct CheckpointAnswer {
    /// The checkpoint as a signed note (C2SP tlog-checkpoint).
    #[schemars(extend("examples" = [NOTE]))]
    pub note: String,
    /// The consistency proof from `since` (RFC 6962, section 2.1.2); empty if `since` is 0 or the
    /// size itself.
    pub consistency: Vec<NodeHash>,
}

impl Call for ReadCheckpoint {
    const PATH: &'static str = "/v1/checkpoints/read";
    type Answer = CheckpointAnswer;
}

/// Hands in the cosignature of a witness (C2SP tlog-cosignature, `cosignature/v1`). `keys` serves
/// it beside the checkpoint.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CosignCheckpoint {
    /// The checkpoint as `keys` gave it, with the signature line of the witness added.
    #[schemars(extend("examples" = [COSIGNED]))]
    pub note: String,
}

impl Call for CosignCheckpoint {
    const PATH: &'static str = "/v1/checkpoints/cosign";
    type Answer = ();
}

/// A note for the documentation; the signatures are shortened.
const NOTE: &str = "keys.shop.example\n1000\n\
    qINS1GRFhWHwdkUeqLEoP4yEMkTBBzxBkGwGQlVlVcs=\n\n\
    — keys.shop.example Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5\n";
/// The same note with a second signature.
const COSIGNED: &str = "keys.shop.example\n1000\n\
    qINS1GRFhWHwdkUeqLEoP4yEMkTBBzxBkGwGQlVlVcs=\n\n\
    — keys.shop.example Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5\n\
    — witness.example 9m0bZgAAAABlG+1TMI/kmWqNrxUDM+FgvuXu7VQ0Uo3nHfDBAXNrIwJb8jRV\n";
