//! Letters to staff and to customers.

use std::collections::BTreeMap;
use std::fmt;

use cofferdam_core::{
    Call, CallerName, Domain, FieldSet, Personal, ProblemType, Reason, Sha256, Timestamp,
    WarrantSubject,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema::map_by;
use crate::{
    ExposedPeople, GATE_CLOSED, INCIDENT_CLOSED, IncidentId, LETTER_FAULTY, LETTER_NOT_APPROVED,
    LETTER_NOT_PLANNED, LETTER_NOT_RUNNING, LETTER_OUTDATED, LETTER_PLANNED, LETTER_STOPPED,
    LedgerState, NOT_SCOPED, ORDER_OUTDATED, STAFF_FIRST, STAFF_LIST_CHANGED,
};

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

/// The people that a letter goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Everybody on the staff list.
    Staff,
    /// Every customer. Each letter says which fields of its reader were read or presented, or that
    /// none was.
    Customers,
}

impl Audience {
    /// Every audience.
    pub const ALL: [Self; 2] = [Self::Staff, Self::Customers];

    /// The name in tables, journals and listings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Staff => "staff",
            Self::Customers => "customers",
        }
    }
}

/// Plans a letter: writes a ledger row per person. Planning the same audience of the same incident
/// again gives the same letter.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanLetter {
    /// The incident, which must have been scoped.
    pub incident: IncidentId,
    /// The people to write to.
    pub audience: Audience,
}

/// A planned letter, and the progress of planning.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct LetterPlan {
    /// The letter's number.
    pub letter: LetterId,
    /// The number of rows in the letter's ledger.
    pub people: u64,
    /// Whether the ledger holds everybody. Millions of rows take minutes; the same call then tells
    /// how far planning is.
    pub planned: bool,
    /// The people exposed and what became of them, once a letter to customers is planned.
    pub exposed: Option<ExposedPeople>,
}

impl Call for PlanLetter {
    const PATH: &'static str = "/v1/letters/plan";
    const PROBLEMS: &'static [ProblemType] =
        &[INCIDENT_CLOSED, LETTER_PLANNED, NOT_SCOPED, STAFF_LIST_CHANGED];
    type Answer = LetterPlan;
}

/// Drafts a version of a planned letter: every text that somebody would get, with the facts of this
/// hour. A draft with a faulty text is refused, and each fault is named. The same texts and facts
/// give the same version.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftLetter {
    /// The letter to draft.
    pub letter: LetterId,
}

/// A version of a letter, as two people approve it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct LetterDraft {
    /// The letter of the version.
    pub letter: LetterId,
    /// The SHA-256 of the version's texts and facts.
    pub version: Sha256,
    /// The terms of the warrant that two people sign. They name the version.
    pub warrant: WarrantTerms,
    /// The version's texts and facts as JSON. A signer checks the SHA-256 and renders the texts
    /// from it, and so need not trust the person who hands over the order.
    pub body: String,
    /// Every text, the one with the most readers first.
    pub variants: Vec<LetterVariant>,
}

/// One text of a letter, for some of its people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LetterVariant {
    /// The language of the text.
    pub language: String,
    /// The jurisdiction whose law shapes the text, as `US-MA`; empty if none does.
    pub jurisdiction: String,
    /// The fields that these people lost.
    pub fields: FieldSet,
    /// Whether everything that was read of these people was read while they were signed in.
    #[serde(default)]
    pub while_signed_in: bool,
    /// The number of people who get this text.
    pub people: u64,
    /// The subject of the e-mail.
    pub subject: String,
    /// The text, with `\u{E000}` for the name and `\u{E001}` for the code.
    pub text: String,
    /// The same text as HTML.
    pub html: String,
}

impl Call for DraftLetter {
    const PATH: &'static str = "/v1/letters/draft";
    const PROBLEMS: &'static [ProblemType] =
        &[INCIDENT_CLOSED, LETTER_FAULTY, LETTER_NOT_PLANNED, LETTER_PLANNED, NOT_SCOPED];
    type Answer = LetterDraft;
}

/// The terms of a warrant. Staff's hand turns them into a warrant of `keys` for two people to sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WarrantTerms {
    /// The incident's number.
    pub incident: u32,
    /// The purpose of the warrant.
    pub subject: WarrantSubject,
    /// The caller that may use the warrant: `response` itself.
    pub caller: CallerName,
    /// The domain of the fields.
    pub domain: Domain,
    /// The fields that the caller may read.
    pub fields: FieldSet,
    /// The number of records that the warrant covers.
    pub records: u32,
}

/// Sends a test letter to a member of staff: the text that one group of people would get, with a
/// code that opens nothing.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestLetter {
    /// The letter to test.
    pub letter: LetterId,
    /// The drafted version to test.
    pub version: Sha256,
    /// The place of the text among the version's variants, from 0.
    pub variant: u32,
    /// The e-mail address to send to. It must stand on the staff list.
    #[schemars(extend("examples" = ["ada@shop.example"]))]
    pub to: Personal,
}

impl Call for TestLetter {
    const PATH: &'static str = "/v1/letters/test";
    const PROBLEMS: &'static [ProblemType] = &[INCIDENT_CLOSED, LETTER_FAULTY];
    /// The relay's receipt.
    type Answer = String;
}

/// Starts an approved letter, or resumes a paused one. A version that states what no longer holds is
/// refused, and a running one is paused. A letter to customers starts once 99 % of
/// the letters to staff are accepted.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StartLetter {
    /// The letter to start.
    pub letter: LetterId,
    /// The reason for writing to customers before staff, which is journalled.
    pub before_staff: Option<Reason>,
}

impl Call for StartLetter {
    const PATH: &'static str = "/v1/letters/start";
    const PROBLEMS: &'static [ProblemType] = &[
        GATE_CLOSED,
        INCIDENT_CLOSED,
        LETTER_NOT_APPROVED,
        LETTER_OUTDATED,
        LETTER_STOPPED,
        ORDER_OUTDATED,
        STAFF_FIRST,
    ];
    type Answer = LetterStatus;
}

/// Pauses a letter. Letters that are on the wire still go out.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PauseLetter {
    /// The letter to pause.
    pub letter: LetterId,
}

impl Call for PauseLetter {
    const PATH: &'static str = "/v1/letters/pause";
    const PROBLEMS: &'static [ProblemType] = &[LETTER_NOT_RUNNING];
    type Answer = LetterStatus;
}

/// Pauses a letter's mail to one mail provider.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PauseProvider {
    /// The letter of the mail.
    pub letter: LetterId,
    /// The provider's name in the configuration, or `others`.
    #[schemars(extend("examples" = ["others"]))]
    pub provider: String,
}

impl Call for PauseProvider {
    const PATH: &'static str = "/v1/providers/pause";
    const PROBLEMS: &'static [ProblemType] = &[LETTER_NOT_RUNNING];
    type Answer = LetterStatus;
}

/// Resumes a letter's mail to one mail provider.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResumeProvider {
    /// The letter of the mail.
    pub letter: LetterId,
    /// The provider's name in the configuration, or `others`.
    #[schemars(extend("examples" = ["others"]))]
    pub provider: String,
}

impl Call for ResumeProvider {
    const PATH: &'static str = "/v1/providers/resume";
    type Answer = LetterStatus;
}

/// Stops a letter for good and closes its warrant. It resumes only with a new approval.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StopLetter {
    /// The letter to stop.
    pub letter: LetterId,
    /// The reason, which is journalled.
    pub reason: Reason,
}

impl Call for StopLetter {
    const PATH: &'static str = "/v1/letters/stop";
    const PROBLEMS: &'static [ProblemType] = &[LETTER_NOT_RUNNING];
    type Answer = LetterStatus;
}

/// Reads the status of a letter.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadLetter {
    /// The letter to read.
    pub letter: LetterId,
}

impl Call for ReadLetter {
    const PATH: &'static str = "/v1/letters/read";
    type Answer = LetterStatus;
}

/// Lists the letters, oldest first.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListLetters {
    /// Only the letters about this incident.
    #[serde(default)]
    pub incident: Option<IncidentId>,
}

impl Call for ListLetters {
    const PATH: &'static str = "/v1/letters/list";
    type Answer = Vec<LetterStatus>;
}

/// The state of a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LetterState {
    /// The letter waits for an approval, or for its start.
    Planned,
    /// Workers send the letter, also after a restart.
    Running,
    /// Staff, or a failure, paused the letter.
    Paused,
    /// Staff stopped the letter for good.
    Stopped,
    /// Every row of the letter has its outcome.
    Finished,
}

impl LetterState {
    /// Every state of a letter.
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

/// The status of a letter. The counts add up to the planned people at every instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LetterStatus {
    /// The number of the letter.
    pub letter: LetterId,
    /// The incident that it is about.
    pub incident: IncidentId,
    /// The people who get the letter.
    pub audience: Audience,
    /// The state of the letter.
    pub state: LetterState,
    /// The approved version, once there is one.
    pub version: Option<Sha256>,
    /// The number of people in each state. Every state is named.
    #[schemars(schema_with = "map_by::<LedgerState, u64>")]
    pub people: BTreeMap<LedgerState, u64>,
    /// The number of people perhaps not reached: something came back from their letters that nothing
    /// understood, and nobody has decided about it.
    #[serde(default)]
    pub perhaps_not_reached: u64,
    /// The number of messages that came back and that nothing understood.
    #[serde(default)]
    pub not_understood: u64,
    /// The number of letters that got their outcome at this instance in the last minute.
    pub last_minute: u64,
    /// The time left at the pace of the last minute, in seconds.
    pub seconds_left: Option<u64>,
    /// The mail providers for which this instance has letters.
    pub providers: Vec<ProviderStatus>,
    /// The load of the reset pages, if the letter's pace is tied to it.
    pub reset_pages: Option<ResetPages>,
    /// The reason why the letter makes no progress although it should.
    pub trouble: Option<String>,
    /// The instant at which sending began.
    pub started: Option<Timestamp>,
    /// The instant at which the last row got its outcome.
    pub finished: Option<Timestamp>,
}

impl LetterStatus {
    /// Counts the people in a state.
    #[must_use]
    pub fn of(&self, state: LedgerState) -> u64 {
        self.people.get(&state).copied().unwrap_or(0)
    }

    /// Counts the people without a final outcome.
    #[must_use]
    pub fn open(&self) -> u64 {
        LedgerState::ALL.into_iter().filter(|state| state.is_open()).map(|s| self.of(s)).sum()
    }

    /// Counts everybody.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.people.values().sum()
    }
}

/// The load of the pages on which customers set new passwords, and what it means for a letter's
/// pace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResetPages {
    /// The load of the pages, in percent of what they can bear; `None` while it is unknown.
    pub busy_percent: Option<u8>,
    /// The most letters a second because of that load; `None` without a limit.
    pub rate: Option<u32>,
}

/// The status of sending to a mail provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProviderStatus {
    /// The provider's name in the configuration, or `others`.
    pub provider: String,
    /// The number of letters that wait in memory.
    pub waiting: u64,
    /// The most letters a second that the provider gets now; `None` without a limit.
    pub rate: Option<u32>,
    /// The reason why the provider is paused; `None` if it is not.
    pub paused: Option<String>,
}
