//! The ledger of a letter: one row per person.
//!
//! | state | meaning | moved by |
//! |---|---|---|
//! | `planned` | not tried yet | planning; a worker that returns an untried row; a returning worker whose notes never named the row; settling a doubt |
//! | `claimed` | a worker holds the row's batch; stored as planned or deferred | claiming the batch |
//! | `accepted` | the relay took the letter | the worker; the relay's log |
//! | `in_doubt` | the letter may have gone out | the worker; the worker that takes over a silent one; a worker that starts again after its death |
//! | `deferred` | put off by relay or receiver, to be tried again | the worker |
//! | `bounced` | refused for good, or returned | the worker; returned mail |
//! | `complained` | it arrived, and the reader complained | returned mail |
//! | `suppressed` | not to be sent: a decoy, or nobody to write to | the worker |
//! | `expired` | put off too often | the worker |

use cofferdam_core::{Call, FieldSet, ProblemType, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{LETTER_RUNNING, LetterId, LetterStatus};

/// Reads the ledger, ascending by person.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadLedger {
    /// The letter of the ledger.
    pub letter: LetterId,
    /// The number of the first person wanted: a customer's record, or a place in the staff list.
    pub from: u32,
    /// The most rows wanted, up to 10,000.
    pub limit: u32,
    /// Only rows in this state. A claimed row counts as its earlier state, planned or deferred.
    #[serde(default)]
    pub state: Option<LedgerState>,
}

/// The ledger row of one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LedgerRow {
    /// The customer's record number, or the place in the staff list.
    pub person: u32,
    /// The state of the row.
    pub state: LedgerState,
    /// The fields that the letter says were read or presented.
    pub fields: FieldSet,
    /// Whether the letter may say that everything was read while the person was signed in.
    #[serde(default)]
    pub while_signed_in: bool,
    /// The Message-ID, the same at every attempt.
    pub message_id: String,
    /// The relay's queue id or reply, once there is an outcome.
    pub outcome: Option<String>,
    /// The instant at which the state was recorded.
    pub at: Timestamp,
}

macro_rules! states {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $name:literal;)*) => {
        /// The state of a ledger row. The numbers stand in the tables: they are never given to
        /// another state.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
        )]
        #[serde(rename_all = "snake_case")]
        #[repr(u8)]
        pub enum LedgerState { $($(#[$doc])* $variant = $code,)* }

        impl LedgerState {
            /// Every state, in the order of their numbers.
            pub const ALL: [Self; 9] = [$(Self::$variant,)*];

            /// The name used in reports.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The number in the tables.
            #[must_use]
            pub const fn code(self) -> u8 {
                self as u8
            }

            /// The state with this number.
            #[must_use]
            pub const fn from_code(code: u8) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

states! {
    /// The letter was not tried yet.
    Planned = 0, "planned";
    /// A worker holds the row's batch.
    Claimed = 1, "claimed";
    /// The relay accepted the letter.
    Accepted = 2, "accepted";
    /// The letter may have gone out: the process died, or the connection broke, before the relay's
    /// answer was recorded.
    InDoubt = 3, "in_doubt";
    /// The relay or the receiver put the letter off, and it is tried again.
    Deferred = 4, "deferred";
    /// The letter was refused for good, or it came back.
    Bounced = 5, "bounced";
    /// The letter arrived, and its reader complained.
    Complained = 6, "complained";
    /// No letter is sent: the person is a decoy or has no address.
    Suppressed = 7, "suppressed";
    /// The letter was put off too often.
    Expired = 8, "expired";
}

impl LedgerState {
    /// Whether the row still waits for its outcome.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Planned | Self::Claimed | Self::Deferred)
    }
}

impl Call for ReadLedger {
    const PATH: &'static str = "/v1/ledgers/read";
    /// Empty at the end.
    type Answer = Vec<LedgerRow>;
}

/// Settles rows in doubt with the relay's own log.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SettleLetter {
    /// The letter whose rows are in doubt.
    pub letter: LetterId,
    /// The messages that the relay logged.
    pub relayed: Vec<Relayed>,
    /// Whether the log is complete from the first letter to now. If it is, the doubted letters that
    /// it does not name never reached the relay, and they are planned again under their
    /// Message-IDs.
    pub complete: bool,
}

/// A message that a relay logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Relayed {
    /// The Message-ID, without angle brackets.
    pub message_id: String,
    /// The id under which the relay queued the message.
    pub queue_id: String,
}

/// The result of settling doubts.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Settled {
    /// The number of rows that the relay had accepted.
    pub accepted: u64,
    /// The number of rows that are planned again.
    pub planned: u64,
    /// The letter's status after that.
    pub status: LetterStatus,
}

impl Call for SettleLetter {
    const PATH: &'static str = "/v1/letters/settle";
    const PROBLEMS: &'static [ProblemType] = &[LETTER_RUNNING];
    type Answer = Settled;
}

#[cfg(test)]
mod tests {
    use super::LedgerState;

    #[test]
    fn the_numbers_of_states_never_change() {
        let codes: Vec<_> = LedgerState::ALL.iter().map(|of| (of.code(), of.as_str())).collect();
        let expected = [
            (0, "planned"),
            (1, "claimed"),
            (2, "accepted"),
            (3, "in_doubt"),
            (4, "deferred"),
            (5, "bounced"),
            (6, "complained"),
            (7, "suppressed"),
            (8, "expired"),
        ];
        assert_eq!(codes, expected);
        for state in LedgerState::ALL {
            assert_eq!(LedgerState::from_code(state.code()), Some(state));
        }
        assert_eq!(LedgerState::from_code(9), None);
    }
}
