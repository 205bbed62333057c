//! Changes of customers, for a reader that keeps a copy of the coarse attributes.

use cofferdam_core::{Call, Record};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::CoarseRow;

/// Reads the customers that were written, changed or erased after a change, in their present state.
/// A reader that starts again a little before the last answer's end also gets the changes that were
/// being written then. For the controller.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadChanges {
    /// The number of a change. The answer has the changes after it.
    pub after: u64,
}

/// A page of changed customers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Changes {
    /// The number of the last change in this answer.
    pub last: u64,
    /// The number of the newest change of all.
    pub newest: u64,
    /// Whether more changes follow.
    pub more: bool,
    /// Whether older changes were deleted. The reader then lists all customers anew, and continues
    /// from this answer.
    pub forgotten: bool,
    /// The customers that exist, ascending.
    pub rows: Vec<CoarseRow>,
    /// The customers that exist no longer, ascending.
    pub gone: Vec<Record>,
}

impl Call for ReadChanges {
    const PATH: &'static str = "/v1/changes/read";
    const COMPACT: bool = true;
    type Answer = Changes;
}
