//! The identity of a compartment's state.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Rng;

/// The random number that is made together with a compartment's database. A copy of the database
/// has the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct StateId(pub u64);

impl StateId {
    /// Makes the number of a new state.
    #[must_use]
    pub fn random(rng: &dyn Rng) -> Self {
        Self(u64::from_be_bytes(rng.bytes()))
    }
}

impl fmt::Display for StateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
