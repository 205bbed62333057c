//! One mailing.

use cofferdam_core::{Sha256, Timestamp};
use keys_api::WarrantId;
use response_api::{Audience, IncidentId, LetterId, LetterState};

/// One mailing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its number.
    pub letter: LetterId,
    /// The incident that it tells about.
    pub incident: IncidentId,
    /// The people that it goes to.
    pub audience: Audience,
    /// The secret from which its Message-IDs are made.
    pub seed: Vec<u8>,
    /// The warrant under which contacts are read.
    pub warrant: Option<WarrantId>,
    /// Whether its ledger holds everybody.
    pub planned: bool,
    /// Its state.
    pub state: LetterState,
    /// The approved version.
    pub version: Option<Sha256>,
    /// Why it does not move; empty when it does.
    pub trouble: String,
    /// When sending began.
    pub started: Option<Timestamp>,
    /// When the last row got its outcome.
    pub finished: Option<Timestamp>,
}
