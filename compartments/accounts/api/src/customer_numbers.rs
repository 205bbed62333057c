//! Customer numbers and the record numbers behind them. The calls that callers make name customers by
//! their numbers, in fields called `record`; all other calls name records.

use cofferdam_core::{Call, CustomerNumber, Record};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most numbers in one call.
pub const MAX_NUMBERS: usize = 10_000;

/// Reads the numbers by which callers know customers. For the controller.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadCustomerNumbers {
    /// The customers' records, at most [`MAX_NUMBERS`].
    pub records: Vec<Record>,
}

impl Call for ReadCustomerNumbers {
    const PATH: &'static str = "/v1/customer-numbers/read";
    const COMPACT: bool = true;
    /// One for each record, in their order.
    type Answer = Vec<CustomerNumber>;
}

/// Finds the records behind customer numbers. Every number has a record, whether or not a customer
/// has it. For the controller.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolveCustomerNumbers {
    /// The customers' numbers, at most [`MAX_NUMBERS`].
    pub numbers: Vec<CustomerNumber>,
}

impl Call for ResolveCustomerNumbers {
    const PATH: &'static str = "/v1/customer-numbers/resolve";
    const COMPACT: bool = true;
    /// One for each number, in their order.
    type Answer = Vec<Record>;
}
