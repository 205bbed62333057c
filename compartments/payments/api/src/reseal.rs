//! The move of all cards to a new epoch.

use cofferdam_core::{Call, Reseal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Reads the progress of re-sealing all cards under a new epoch. For the controller.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadReseal {}

impl Call for ReadReseal {
    const PATH: &'static str = "/v1/reseal/read";
    type Answer = Reseal;
}
