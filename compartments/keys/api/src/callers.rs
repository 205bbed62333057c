//! Callers: their grants and their recent use.

use std::collections::BTreeMap;

use cofferdam_core::{Call, CallerName, Operation};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::budgets::{Budget, Lowering};
use crate::policies::{Grant, by_operation};

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
    /// The operations and fields that it may use.
    pub grants: Vec<Grant>,
    /// The most records that it may touch, by operation.
    #[schemars(schema_with = "by_operation::<Budget>")]
    pub budgets: BTreeMap<Operation, Budget>,
    /// The lowerings of its budgets. A budget without one is the policy's.
    #[serde(default)]
    pub lowered: Vec<Lowering>,
    /// The number of records that it touched in the last hour, by operation.
    #[schemars(schema_with = "by_operation::<u64>")]
    pub last_hour: BTreeMap<Operation, u64>,
    /// The hours in which it could read every record of the domains that it may read, if it used
    /// its budget to the limit; `None` if it never could.
    #[schemars(extend("examples" = [57_600.0]))]
    pub hours_to_drain: Option<f64>,
}

impl Call for ListCallers {
    const PATH: &'static str = "/v1/callers/list";
    type Answer = Vec<CallerStatus>;
}
