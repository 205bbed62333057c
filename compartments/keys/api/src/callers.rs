//! Callers: what each may do and did lately, and how one is cut off.

use std::collections::BTreeMap;

use cofferdam_core::{Call, CallerName, Operation};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::budgets::Budget;
use crate::policies::{Grant, by_operation};

/// Refuses a caller everything from now on, or no longer. For the controller.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FreezeCaller {
    /// The caller. It can't be the controller, whom nobody could thaw.
    pub caller: CallerName,
    /// Frozen, or thawed.
    pub frozen: bool,
    /// The reason, at most 500 characters, without personal data: the log keeps it.
    #[schemars(extend("examples" = ["its host reads customers at night"]))]
    pub reason: String,
}

impl Call for FreezeCaller {
    const PATH: &'static str = "/v1/callers/freeze";
    type Answer = ();
}

/// Lists the callers with their grants and budgets. For the controller.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListCallers {}

/// A caller as `keys` knows it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct CallerStatus {
    /// The name of the caller.
    pub caller: CallerName,
    /// Whether it is frozen.
    pub frozen: bool,
    /// What it may do.
    pub grants: Vec<Grant>,
    /// How many records it may touch.
    #[schemars(schema_with = "by_operation::<Budget>")]
    pub budgets: BTreeMap<Operation, Budget>,
    /// How many records it touched in the last hour.
    #[schemars(schema_with = "by_operation::<u64>")]
    pub last_hour: BTreeMap<Operation, u64>,
    /// In how many hours it could read every record of the domains in which it may read, drawing
    /// its budget to the limit; `None` if it never could.
    #[schemars(extend("examples" = [57_600.0]))]
    pub hours_to_drain: Option<f64>,
}

impl Call for ListCallers {
    const PATH: &'static str = "/v1/callers/list";
    type Answer = Vec<CallerStatus>;
}
