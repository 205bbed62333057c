//! Callers that are refused everything.

use cofferdam_core::{Call, CallerName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Refuses a caller everything from now on, or no longer. For the controller.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FreezeCaller {
    /// The caller. It can't be the controller, whom nobody could thaw.
    pub caller: CallerName,
    /// Frozen, or thawed.
    pub frozen: bool,
    /// The reason, at most 500 characters.
    #[schemars(extend("examples" = ["its host reveals cards at night"]))]
    pub reason: String,
}

impl Call for FreezeCaller {
    const PATH: &'static str = "/v1/callers/freeze";
    type Answer = ();
}
