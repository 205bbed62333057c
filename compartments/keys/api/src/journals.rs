//! Anchors of the journals of `response`.

use cofferdam_core::{Call, JournalHead, ProblemType};
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

impl Call for AnchorJournal {
    const PATH: &'static str = "/v1/journals/anchor";
    const PROBLEMS: &'static [ProblemType] = &[JOURNAL_CONTRADICTS];
    type Answer = ();
}
