//! Frozen callers, which are refused everything.

use cofferdam_core::{Call, CallerName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Freezes or thaws a caller. Every call of a frozen caller is refused. For the controller.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FreezeCaller {
    /// The caller. It can't be the controller, because nobody could thaw it.
    pub caller: CallerName,
    /// `true` freezes, `false` thaws.
    pub frozen: bool,
    /// The reason, at most 500 characters, without personal data.
    #[schemars(extend("examples" = ["its host reads customers at night"]))]
    pub reason: String,
}

impl Call for FreezeCaller {
    const PATH: &'static str = "/v1/callers/freeze";
    type Answer = ();
}
