//! A letter, as its row in the store says.

use cofferdam_core::{Sha256, Timestamp};
use keys_api::WarrantId;
use response_api::{Audience, IncidentId, LetterId, LetterState};
use response_letter::MessageIds;

/// One letter: its identity, its approval and its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The number of the letter.
    pub letter: LetterId,
    /// The incident that the letter is about.
    pub incident: IncidentId,
    /// The people who get the letter.
    pub audience: Audience,
    /// Makes its Message-IDs.
    pub ids: MessageIds,
    /// The warrant under which contacts are read.
    pub warrant: Option<WarrantId>,
    /// Whether the ledger holds everybody.
    pub planned: bool,
    /// The state of the letter.
    pub state: LetterState,
    /// The approved version, once there is one.
    pub version: Option<Sha256>,
    /// The reason why it makes no progress; empty if it does.
    pub trouble: String,
    /// The instant at which sending began.
    pub started: Option<Timestamp>,
    /// The instant at which the last row got its outcome.
    pub finished: Option<Timestamp>,
}
