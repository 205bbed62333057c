//! Letters to staff and to customers, with a ledger row per person.

use std::fmt;

use cofferdam_core::{Call, CallerName, Domain, FieldSet, Timestamp, WarrantSubject};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{IncidentId, LedgerState};

/// The number of a letter (one mailing), from 1.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct LetterId(pub u32);

impl fmt::Display for LetterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// To whom a letter goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// The staff roster of `response`.
    Staff,
    /// Every customer: what was read or presented of each, or that nothing was.
    Customers,
}

/// Plans a letter: a ledger row per person. Planning the same audience of the same incident again
/// gives the letter that is there.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanLetter {
    /// The incident, which must have been scoped.
    pub incident: IncidentId,
    /// To whom.
    pub audience: Audience,
}

/// A planned letter.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct LetterPlan {
    /// Its number.
    pub letter: LetterId,
    /// Rows in its ledger.
    pub people: u64,
    /// Whether those are all. Millions take minutes: while they are written, the same call asks how
    /// far it is.
    pub planned: bool,
}

impl Call for PlanLetter {
    const PATH: &'static str = "/v1/letters/plan";
    type Answer = LetterPlan;
}

/// Writes a version of a planned letter: its texts in every language, for every jurisdiction and
/// loss that its people have, with the facts as they are now. Faulty texts are refused, each fault
/// named. The same texts and facts give the same version.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftLetter {
    /// Which.
    pub letter: LetterId,
}

/// A version of a letter, as two people approve it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct LetterDraft {
    /// Which letter.
    pub letter: LetterId,
    /// SHA-256 of texts and data, in hexadecimal.
    pub version: String,
    /// What two people sign: it names the version.
    pub warrant: WarrantTerms,
    /// What the version is made of, as JSON: whoever signs checks its SHA-256 and writes the texts
    /// from it, and need not believe whoever hands the order over.
    pub body: String,
    /// Every text that somebody would get, the most people first.
    pub variants: Vec<LetterVariant>,
}

/// The text for some of the people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LetterVariant {
    /// Its language.
    pub language: String,
    /// Whose law shapes it, as `US-MA`; empty where none does.
    pub jurisdiction: String,
    /// What these people lost.
    pub fields: FieldSet,
    /// How many they are.
    pub people: u64,
    /// The subject.
    pub subject: String,
    /// The text, with `\u{E000}` for the name and `\u{E001}` for the code.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

impl Call for DraftLetter {
    const PATH: &'static str = "/v1/letters/draft";
    type Answer = LetterDraft;
}

/// The terms of the warrant by which a letter is approved, for `keys` to check. The CLI turns it
/// into a warrant of `keys`, has it signed, and hands it to [`ApproveLetter`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WarrantTerms {
    /// The incident's number.
    pub incident: u32,
    /// What it is for: the letter and its version, or paper post.
    pub subject: WarrantSubject,
    /// Who draws on it: `response` itself.
    pub caller: CallerName,
    /// Where.
    pub domain: Domain,
    /// Which fields.
    pub fields: FieldSet,
    /// How many records.
    pub records: u32,
}

/// Approves a version: a warrant that two people signed, for exactly this version.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApproveLetter {
    /// Which.
    pub letter: LetterId,
    /// The signed warrant as JSON, exactly as `keys` takes it.
    pub warrant: serde_json::Value,
}

impl Call for ApproveLetter {
    const PATH: &'static str = "/v1/letters/approve";
    type Answer = LetterStatus;
}

/// Starts an approved letter, or lets one go on. Customer letters start once 99 % of the staff
/// letters are accepted.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StartLetter {
    /// Which.
    pub letter: LetterId,
    /// Why customers are written to before staff are; it is journalled.
    pub before_staff: Option<String>,
}

impl Call for StartLetter {
    const PATH: &'static str = "/v1/letters/start";
    type Answer = LetterStatus;
}

/// Lets a letter rest; what a worker is sending is sent.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PauseLetter {
    /// Which.
    pub letter: LetterId,
    /// Only the mailboxes of one mail provider; the whole letter otherwise.
    pub provider: Option<String>,
}

impl Call for PauseLetter {
    const PATH: &'static str = "/v1/letters/pause";
    type Answer = LetterStatus;
}

/// Lets a provider's mailboxes be written to again.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResumeProvider {
    /// Which letter.
    pub letter: LetterId,
    /// Whose mailboxes.
    pub provider: String,
}

impl Call for ResumeProvider {
    const PATH: &'static str = "/v1/letters/resume-provider";
    type Answer = LetterStatus;
}

/// Ends a letter before its time: its warrant is closed. It goes on only with a new approval.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StopLetter {
    /// Which.
    pub letter: LetterId,
    /// Why; it is journalled.
    pub reason: String,
}

impl Call for StopLetter {
    const PATH: &'static str = "/v1/letters/stop";
    type Answer = LetterStatus;
}

/// Asks how a letter stands.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadLetter {
    /// Which.
    pub letter: LetterId,
}

impl Call for ReadLetter {
    const PATH: &'static str = "/v1/letters/status";
    type Answer = LetterStatus;
}

/// What is to be done with a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LetterState {
    /// Nobody has approved a version yet, or nobody has started it.
    Planned,
    /// Workers send it, now and after a restart.
    Running,
    /// It rests.
    Paused,
    /// It was ended.
    Stopped,
    /// Every row has its outcome.
    Finished,
}

impl LetterState {
    /// Every state.
    pub const ALL: [Self; 5] =
        [Self::Planned, Self::Running, Self::Paused, Self::Stopped, Self::Finished];

    /// The name used in the store and in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
            Self::Finished => "finished",
        }
    }
}

/// How a letter stands. The counts add up to the people planned at every instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LetterStatus {
    /// Which.
    pub letter: LetterId,
    /// To whom.
    pub audience: Audience,
    /// What is to be done with it.
    pub state: LetterState,
    /// The approved version.
    pub version: Option<String>,
    /// How many people are in each state, every state named.
    pub people: std::collections::BTreeMap<LedgerState, u64>,
    /// Letters that got their outcome in the last minute, at this instance.
    pub last_minute: u64,
    /// How long still at that pace, in seconds.
    pub seconds_left: Option<u64>,
    /// The mail providers that this instance has letters for.
    pub providers: Vec<ProviderStatus>,
    /// How the pages hold it back on which customers set new passwords, where it is tied to them.
    pub reset_pages: Option<ResetPages>,
    /// Why it does not move, if it should.
    pub trouble: Option<String>,
    /// When sending began.
    pub started: Option<Timestamp>,
    /// When the last row got its outcome.
    pub finished: Option<Timestamp>,
}

impl LetterStatus {
    /// How many people are in a state.
    #[must_use]
    pub fn of(&self, state: LedgerState) -> u64 {
        self.people.get(&state).copied().unwrap_or(0)
    }

    /// The people without a final outcome.
    #[must_use]
    pub fn open(&self) -> u64 {
        [LedgerState::Planned, LedgerState::Claimed, LedgerState::Deferred]
            .iter()
            .map(|state| self.of(*state))
            .sum()
    }

    /// Everybody.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.people.values().sum()
    }
}

/// How busy the pages are on which customers set new passwords, and what that means for letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResetPages {
    /// Of what they can do at most; `None` while nobody knows.
    pub busy_percent: Option<u8>,
    /// Letters a second at most for their sake; `None` without limit.
    pub rate: Option<u32>,
}

/// How it goes with a mail provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProviderStatus {
    /// Its name.
    pub provider: String,
    /// Letters that wait in memory.
    pub waiting: u64,
    /// Letters a second that it gets at most now; `None` without limit.
    pub rate: Option<u32>,
    /// Why it gets none.
    pub paused: Option<String>,
}
