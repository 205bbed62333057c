//! The checkpoints of release logs that a compartment keeps: the call is the same at each of them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Call, Timestamp};

/// Lists the highest checkpoint of each release log that the compartment has seen. For the
/// controller, which holds its own copies against them.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListCheckpoints {}

/// The highest checkpoint of a release log that a compartment has seen. The log can't have fewer
/// entries, or another tree of as many, unless somebody rewrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SeenCheckpoint {
    /// The name of the log.
    #[schemars(extend("examples" = ["keys.shop.example/log"]))]
    pub log: String,
    /// The verifier key with which the log signed first. A later note under another key is refused.
    #[schemars(extend("examples" = ["keys.shop.example/log+d294651f+AR7ZW/K1JbE36RhqpXBC55cuiPtH+vbCRqjV7VoUswxt"]))]
    pub log_key: String,
    /// The number of entries.
    pub size: u64,
    /// The checkpoint as a signed note (C2SP tlog-checkpoint).
    pub note: String,
    /// The instant at which this size was first seen, by the compartment's clock.
    pub seen: Timestamp,
}

impl Call for ListCheckpoints {
    const PATH: &'static str = "/v1/checkpoints/list";
    type Answer = Vec<SeenCheckpoint>;
}
