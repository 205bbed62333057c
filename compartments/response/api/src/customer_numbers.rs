//! Customer numbers, as the shop's app servers log them.

use cofferdam_core::{Call, CustomerNumber, Record};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::IncidentId;

/// Finds the record behind a customer number. Every number has a record, whether or not a customer
/// has it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolveCustomerNumber {
    /// The incident, which must be about customers of `accounts`.
    pub incident: IncidentId,
    /// The number by which app servers know the customer.
    pub number: CustomerNumber,
}

impl Call for ResolveCustomerNumber {
    const PATH: &'static str = "/v1/customer-numbers/resolve";
    type Answer = Record;
}
