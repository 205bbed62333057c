//! Letters to staff and to customers, with a ledger row per person.

use std::fmt;

use cofferdam_core::{Call, CallerName, Domain, FieldSet, Timestamp};
use serde::{Deserialize, Serialize};

use crate::IncidentId;

/// The number of a letter (one mailing), from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LetterId(pub u32);

impl fmt::Display for LetterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// To whom a letter goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// The staff roster of `response`.
    Staff,
    /// Every customer: what was read or presented of each, or that nothing was.
    Customers,
}

/// Plans a letter: a ledger row per person. Planning the same audience of the same incident again
/// gives the letter that is there.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanLetter {
    /// The incident, which must have been scoped.
    pub incident: IncidentId,
    /// To whom.
    pub audience: Audience,
}

/// A planned letter.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LetterPlan {
    /// Its number.
    pub letter: LetterId,
    /// Rows in its ledger.
    pub people: u64,
    /// What two people must sign before it can start; `None` for staff.
    pub warrant: Option<WarrantTerms>,
}

/// The terms of the warrant that a letter needs, for `keys` to check. The CLI turns it into a
/// warrant of `keys`, has it signed, and hands it to [`StartLetter`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarrantTerms {
    /// The incident's number.
    pub incident: u32,
    /// Why.
    pub purpose: String,
    /// Who draws on it: `response` itself.
    pub caller: CallerName,
    /// Where.
    pub domain: Domain,
    /// Which fields.
    pub fields: FieldSet,
    /// How many records.
    pub records: u32,
}

impl Call for PlanLetter {
    const PATH: &'static str = "/v1/letters/plan";
    type Answer = LetterPlan;
}

/// Starts (or resumes) sending. Customer letters start only after the staff letter is accepted.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartLetter {
    /// Which.
    pub letter: LetterId,
    /// The signed warrant as JSON, exactly as `keys` takes it; needed for customers, unless the
    /// letter has an open one.
    pub warrant: Option<serde_json::Value>,
}

impl Call for StartLetter {
    const PATH: &'static str = "/v1/letters/start";
    type Answer = LetterStatus;
}

/// Asks how a letter stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadLetter {
    /// Which.
    pub letter: LetterId,
}

impl Call for ReadLetter {
    const PATH: &'static str = "/v1/letters/status";
    type Answer = LetterStatus;
}

/// How a letter stands. The counts add up to the people planned at every instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetterStatus {
    /// Which.
    pub letter: LetterId,
    /// To whom.
    pub audience: Audience,
    /// Whether a worker is sending now.
    pub running: bool,
    /// Not sent yet.
    pub planned: u64,
    /// Handed to a worker, outcome not recorded yet.
    pub claimed: u64,
    /// Taken by the relay.
    pub accepted: u64,
    /// The process died, or the connection broke, after the text was sent and before the relay's
    /// answer was recorded: it may have arrived.
    pub in_doubt: u64,
    /// Refused by the relay for good.
    pub bounced: u64,
    /// Not to be sent: a decoy, or no address.
    pub suppressed: u64,
    /// Why the worker stopped before the end, if it did.
    pub trouble: Option<String>,
    /// When sending began.
    pub started: Option<Timestamp>,
    /// When the last row got its outcome.
    pub finished: Option<Timestamp>,
}

/// Reads the ledger, by person.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadLedger {
    /// Which letter.
    pub letter: LetterId,
    /// The first person's number wanted: a customer's record number, or a place in the roster.
    pub from: u32,
    /// How many at most, up to 10,000.
    pub limit: u32,
}

/// One person's row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

/// How a ledger row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerState {
    /// Not sent yet.
    Planned,
    /// Handed to a worker.
    Claimed,
    /// Taken by the relay.
    Accepted,
    /// It may have arrived.
    InDoubt,
    /// Refused for good.
    Bounced,
    /// Not to be sent.
    Suppressed,
}

impl LedgerState {
    /// Every state.
    pub const ALL: [Self; 6] = [
        Self::Planned,
        Self::Claimed,
        Self::Accepted,
        Self::InDoubt,
        Self::Bounced,
        Self::Suppressed,
    ];

    /// The name used in the store and in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Claimed => "claimed",
            Self::Accepted => "accepted",
            Self::InDoubt => "in_doubt",
            Self::Bounced => "bounced",
            Self::Suppressed => "suppressed",
        }
    }
}

impl Call for ReadLedger {
    const PATH: &'static str = "/v1/letters/ledger";
    /// Ascending by person; empty at the end.
    type Answer = Vec<LedgerRow>;
}
