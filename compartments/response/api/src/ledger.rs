//! The ledger of a letter: one row per person.

use cofferdam_core::{Call, FieldSet, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{LetterId, LetterStatus};

/// Reads the ledger, by person.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadLedger {
    /// Which letter.
    pub letter: LetterId,
    /// The first person's number wanted: a customer's record number, or a place in the roster.
    pub from: u32,
    /// How many at most, up to 10,000.
    pub limit: u32,
    /// Only rows in this state; `claimed` ones stand as planned or deferred.
    #[serde(default)]
    pub state: Option<LedgerState>,
}

/// One person's row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LedgerRow {
    /// The customer's record number, or the place in the staff roster.
    pub person: u32,
    /// How it stands.
    pub state: LedgerState,
    /// What the letter says was read or presented of this person's data.
    pub fields: FieldSet,
    /// The Message-ID, the same at every attempt.
    pub message_id: String,
    /// The relay's queue id, or what it said, once there is an outcome.
    pub outcome: Option<String>,
    /// When the state was recorded.
    pub at: Timestamp,
}

/// How a ledger row stands. The order never changes: the tables go by it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum LedgerState {
    /// Not sent yet.
    Planned,
    /// Handed to a worker.
    Claimed,
    /// Taken by the relay.
    Accepted,
    /// It may have arrived: the process died, or the connection broke, after the text was on its
    /// way and before the relay's answer was recorded.
    InDoubt,
    /// Put off by the relay or the receiver; it is tried again.
    Deferred,
    /// Refused for good, or it came back.
    Bounced,
    /// Arrived, and its reader complained.
    Complained,
    /// Not to be sent: a decoy, or no address.
    Suppressed,
    /// Put off too often, or for too long.
    Expired,
}

impl LedgerState {
    /// Every state.
    pub const ALL: [Self; 9] = [
        Self::Planned,
        Self::Claimed,
        Self::Accepted,
        Self::InDoubt,
        Self::Deferred,
        Self::Bounced,
        Self::Complained,
        Self::Suppressed,
        Self::Expired,
    ];

    /// The name used in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Claimed => "claimed",
            Self::Accepted => "accepted",
            Self::InDoubt => "in_doubt",
            Self::Deferred => "deferred",
            Self::Bounced => "bounced",
            Self::Complained => "complained",
            Self::Suppressed => "suppressed",
            Self::Expired => "expired",
        }
    }
}

impl Call for ReadLedger {
    const PATH: &'static str = "/v1/letters/ledger";
    /// Ascending by person; empty at the end.
    type Answer = Vec<LedgerRow>;
}

/// Settles rows that are in doubt from the relay's own log.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SettleLetter {
    /// Which letter.
    pub letter: LetterId,
    /// What the relay logged: Message-IDs without brackets, and its queue ids.
    pub relayed: Vec<Relayed>,
    /// The log is whole from the first letter to now: what it does not name, the relay never had,
    /// and it is planned again under its old Message-ID.
    pub complete: bool,
}

/// A message that a relay logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Relayed {
    /// Its Message-ID.
    pub message_id: String,
    /// The relay's name for it.
    pub queue_id: String,
}

/// What became of the doubts.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Settled {
    /// Rows that the relay had.
    pub accepted: u64,
    /// Rows that are sent again.
    pub planned: u64,
    /// How the letter stands now.
    pub status: LetterStatus,
}

impl Call for SettleLetter {
    const PATH: &'static str = "/v1/letters/settle";
    type Answer = Settled;
}
