//! Which customers changed, for those who keep a copy of the coarse attributes.

use cofferdam_core::{Call, Record};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::CoarseRow;

/// Reads which customers were written, changed or erased since a change, as they are now. A reader
/// that starts again a little before the last answer's end misses nothing that was being written
/// then. For the controller.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadChanges {
    /// Changes after this number are wanted.
    pub after: u64,
}

/// Customers that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Changes {
    /// The number of the last change in this answer.
    pub last: u64,
    /// The number of the newest change there is.
    pub newest: u64,
    /// Whether more changes follow.
    pub more: bool,
    /// Whether older changes are no longer kept. The reader then lists all customers anew, and goes
    /// on from here.
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
