//! Containing the incident.

use cofferdam_core::{Call, CallerName, Operation, Record, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::IncidentId;

/// Freezes or thaws a caller in every compartment.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FreezeCaller {
    /// The incident it belongs to.
    pub incident: IncidentId,
    /// Who.
    pub caller: CallerName,
    /// Frozen, or thawed.
    pub frozen: bool,
    /// Why.
    pub reason: String,
}

impl Call for FreezeCaller {
    const PATH: &'static str = "/v1/contain/freeze";
    type Answer = ();
}

/// Voids credentials, and ends the sessions of the same customers.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VoidCredentials {
    /// The incident it belongs to.
    pub incident: IncidentId,
    /// Whose.
    pub whose: VoidWhose,
}

/// Whose credentials are void.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VoidWhose {
    /// Everybody's that is older than the order says: it takes two people.
    Everybody {
        /// The signed order, exactly as `keys` takes it.
        order: serde_json::Value,
        /// The instant that stands in it.
        set_before: Timestamp,
        /// Why one person must do, if that stands in it: for the journal.
        break_glass: Option<String>,
    },
    /// Those of whom a field was read or presented, by the exposure that was computed last.
    Exposed,
    /// These customers'.
    Only {
        /// Their record numbers.
        records: Vec<Record>,
    },
}

/// What the order did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Voided {
    /// The order's number in `accounts`.
    pub order: u64,
    /// Customers whose credential is void.
    pub customers: u64,
    /// Sessions that ended; of an order over some, they are not counted.
    pub sessions: u64,
    /// How long it took until it held, in seconds.
    pub seconds: f64,
}

impl Call for VoidCredentials {
    const PATH: &'static str = "/v1/contain/void";
    type Answer = Voided;
}

/// Lowers a caller's budget below the policy's, or gives it back.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LowerBudget {
    /// The incident it belongs to.
    pub incident: IncidentId,
    /// Whose.
    pub caller: CallerName,
    /// For what.
    pub operation: Operation,
    /// The budget, as `keys` takes it; `None`: the policy's again.
    pub budget: Option<serde_json::Value>,
    /// Why.
    pub reason: String,
}

impl Call for LowerBudget {
    const PATH: &'static str = "/v1/contain/budget";
    type Answer = ();
}
