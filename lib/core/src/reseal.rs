//! The progress of a compartment's move to a new epoch.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Epoch;

/// The progress of re-sealing in this process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reseal {
    /// The epoch to which the rows move; `None` until the process has asked `keys` for it.
    pub epoch: Option<Epoch>,
    /// Whether re-sealing is under way.
    pub running: bool,
    /// The number of rows that this process has moved to `epoch`.
    pub resealed: u64,
    /// Every record number below this one is sealed under `epoch`.
    pub done_before: u64,
    /// The number of record numbers in use.
    pub records: u64,
    /// The error that stopped the last attempt, if it failed.
    pub trouble: Option<String>,
}

impl Reseal {
    /// Whether every row is sealed under `epoch`.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.epoch.is_some() && self.done_before >= self.records
    }
}
