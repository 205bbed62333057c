//! Returned mail that no rule understood. It is kept for a person, who decides whether the letter
//! arrived. Until then its addressee counts as perhaps not reached.

use cofferdam_core::{Call, Personal, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{LetterId, LetterStatus};

/// Lists the people to whose return addresses mail came that no rule understood, in ascending order.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListReturned {
    /// The letter whose returned mail is listed.
    pub letter: LetterId,
    /// The number of the first person wanted.
    pub from: u32,
    /// Whether people are listed too about whom somebody has decided.
    pub decided: bool,
}

/// The mail that came back from one person's letter and that no rule understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReturnedMail {
    /// The customer's record number, or the place in the staff list.
    pub person: u32,
    /// The number of messages that came, kept or not.
    pub messages: u32,
    /// The number of messages that are kept, at most three.
    pub kept: u32,
    /// The instant at which the last one came.
    pub last: Timestamp,
    /// The decision; `None` until a person has decided, and again after the next message.
    pub decision: Option<ReturnedDecision>,
}

/// The decision of a person who read the mail that came back from a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReturnedDecision {
    /// The letter arrived: its reader answered, say.
    Arrived,
    /// The letter did not arrive.
    NotReached,
}

impl ReturnedDecision {
    /// Both decisions, in the order of their names in journals.
    pub const ALL: [Self; 2] = [Self::Arrived, Self::NotReached];

    /// The name in the store and in journals.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Arrived => "arrived",
            Self::NotReached => "not_reached",
        }
    }
}

impl Call for ListReturned {
    const PATH: &'static str = "/v1/returned/list";
    /// At most 1,000 people; empty at the end.
    type Answer = Vec<ReturnedMail>;
}

/// Reads a kept message.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadReturned {
    /// The letter that came back.
    pub letter: LetterId,
    /// The person from whose return address it came.
    pub person: u32,
    /// The message's number, from 0.
    pub number: u32,
}

/// A kept message.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ReturnedText {
    /// The person from whose return address it came.
    pub person: u32,
    /// The message's number, from 0.
    pub number: u32,
    /// The number of messages of this person that came until now, kept or not.
    pub messages: u32,
    /// The number of messages that are kept, at most three.
    pub kept: u32,
    /// The instant at which it came.
    pub at: Timestamp,
    /// The size of the whole message, in bytes. The first 64 KiB are kept.
    pub bytes: u64,
    /// The message as it came; bytes that are no UTF-8 are replaced.
    pub text: Personal,
}

impl Call for ReadReturned {
    const PATH: &'static str = "/v1/returned/read";
    type Answer = ReturnedText;
}

/// Decides about a person from whose return address something came. A letter that did not arrive is
/// *bounced* from then on.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideReturned {
    /// The letter that came back.
    pub letter: LetterId,
    /// The addressee: a record number, or a place in the staff list.
    pub person: u32,
    /// The number of messages that had come when staff looked, as [`ReturnedMail::messages`] says. If
    /// another one came since, nothing is decided and the call is refused.
    pub seen: u32,
    /// Whether the letter arrived.
    pub decision: ReturnedDecision,
}

impl Call for DecideReturned {
    const PATH: &'static str = "/v1/returned/decide";
    type Answer = LetterStatus;
}
