//! Containing the incident.

use cofferdam_core::{Call, CallerName};
use serde::{Deserialize, Serialize};

use crate::IncidentId;

/// Freezes or thaws a caller in every compartment.
#[derive(Debug, Clone, Serialize, Deserialize)]
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

/// Voids the credentials of all customers, and ends every session.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoidCredentials {
    /// The incident it belongs to.
    pub incident: IncidentId,
}

/// What the order did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Voided {
    /// The order's number in `accounts`.
    pub order: u64,
    /// Customers whose credential is void.
    pub customers: u64,
    /// Sessions that ended.
    pub sessions: u64,
    /// How long it took, in seconds.
    pub seconds: f64,
}

impl Call for VoidCredentials {
    const PATH: &'static str = "/v1/contain/void";
    type Answer = Voided;
}
