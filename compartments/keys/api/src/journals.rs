//! Anchors of the journals of `response`.

use std::fmt;

use cofferdam_core::{Call, ProblemType, Sha256};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::JOURNAL_CONTRADICTS;

/// Anchors a journal: writes its length and the hash of its last entry into the release log. From
/// then on, the journal can't be shortened or rewritten unseen. For the controller.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnchorJournal {
    /// The journal, by the number of its incident; 0 for acts that belong to none.
    pub journal: u32,
    /// The end of the journal.
    pub end: JournalHead,
}

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

impl Call for AnchorJournal {
    const PATH: &'static str = "/v1/journals/anchor";
    const PROBLEMS: &'static [ProblemType] = &[JOURNAL_CONTRADICTS];
    type Answer = ();
}
