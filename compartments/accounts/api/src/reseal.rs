//! The move of all customers to a new epoch.

use cofferdam_core::{Call, Reseal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Reads the progress of re-sealing all customers under a new epoch. For the controller.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadReseal {}

impl Call for ReadReseal {
    const PATH: &'static str = "/v1/reseal/read";
    type Answer = Reseal;
}
