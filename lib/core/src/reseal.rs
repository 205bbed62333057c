//! How far a compartment's move to a new epoch is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Epoch;

/// The progress of re-sealing, since this process started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reseal {
    /// The epoch that everything is sealed under at the end; `None` before the first look.
    pub epoch: Option<Epoch>,
    /// Whether rows are being re-sealed.
    pub running: bool,
    /// How many rows were.
    pub resealed: u64,
    /// Every row before this one is sealed under `epoch`.
    pub done_before: u64,
    /// How many record numbers there are.
    pub records: u64,
    /// What keeps it from going on.
    #[schemars(extend("examples" = ["keys can't be reached"]))]
    pub trouble: Option<String>,
}

impl Reseal {
    /// Whether nothing is left to do.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.epoch.is_some() && self.done_before >= self.records
    }
}
