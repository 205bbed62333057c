//! The end of a journal, as `response` anchors it and as the release log holds it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Sha256;

/// The end of a journal. Each entry names the hash of the one before, so the last hash stands for
/// the whole journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JournalHead {
    /// The number of entries.
    pub length: u32,
    /// The SHA-256 of the last entry's line.
    pub head: Sha256,
}

impl fmt::Display for JournalHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} entries, the last one {}", self.length, self.head)
    }
}
