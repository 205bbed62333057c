//! Callers: what each may do and did lately, and how one is cut off.

use std::collections::BTreeMap;

use cofferdam_core::{Call, CallerName, Operation};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::policy::by_operation;
use crate::policy::{Budget, Grant};

/// Refuses a caller everything from now on, or no longer.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FreezeCaller {
    /// Who.
    pub caller: CallerName,
    /// Frozen, or thawed.
    pub frozen: bool,
    /// Why, at most 500 characters, without personal data: it stands in the log.
    pub reason: String,
}

impl Call for FreezeCaller {
    const PATH: &'static str = "/v1/callers/freeze";
    type Answer = ();
}

/// Lists the callers with what they may do.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListCallers {}

/// One caller as `keys` knows it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct CallerStatus {
    /// Who.
    pub caller: CallerName,
    /// Whether it is frozen.
    pub frozen: bool,
    /// What it may do, where.
    pub grants: Vec<Grant>,
    /// How much of it.
    #[schemars(schema_with = "by_operation::<Budget>")]
    pub budgets: BTreeMap<Operation, Budget>,
    /// Records that each operation took in the last hour.
    #[schemars(schema_with = "by_operation::<u64>")]
    pub last_hour: BTreeMap<Operation, u64>,
    /// In how many hours it could read every record of the domains that it may read in, its
    /// budget drawn to the limit; `None`: never.
    pub hours_to_drain: Option<f64>,
}

impl Call for ListCallers {
    const PATH: &'static str = "/v1/callers/list";
    type Answer = Vec<CallerStatus>;
}
