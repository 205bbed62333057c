//! The notice for everybody, and the report for the people in the room.

use cofferdam_core::Call;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Exposure, FeedAlarm, Incident, IncidentId, JournalEntry, LetterStatus, Voided};

/// Writes the notice as a static page and serves it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishNotice {
    /// Which incident, which must have been scoped.
    pub incident: IncidentId,
}

/// A published notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Notice {
    /// Where it can be read.
    pub url: String,
    /// SHA-256 of the page, hexadecimal.
    pub sha256: String,
}

impl Call for PublishNotice {
    const PATH: &'static str = "/v1/notice/publish";
    type Answer = Notice;
}

/// Writes down what is known of an incident.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MakeReport {
    /// Which.
    pub incident: IncidentId,
}

/// What is known of an incident.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// The incident.
    pub incident: Incident,
    /// Its exposure, once scoped.
    pub exposure: Option<Exposure>,
    /// The void order, once given.
    pub voided: Option<Voided>,
    /// The letters.
    pub letters: Vec<LetterStatus>,
    /// The notice, once published.
    pub notice: Option<Notice>,
    /// Alarms in the window, of any caller.
    pub alarms: Vec<FeedAlarm>,
    /// The journal.
    pub journal: Vec<JournalEntry>,
    /// The same as one self-contained HTML page.
    pub html: String,
}

impl Call for MakeReport {
    const PATH: &'static str = "/v1/reports/make";
    type Answer = Report;
}
