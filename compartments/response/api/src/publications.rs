//! The notice for everybody, and the report for staff.

use cofferdam_core::{Call, ProblemType};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Alarm, ExposedPeople, Exposure, INCIDENT_CLOSED, Incident, IncidentId, JournalEntry,
    LetterStatus, NOT_SCOPED, Voided,
};

/// Publishes the notice: writes it as a static page and serves it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishNotice {
    /// The incident, which must have been scoped.
    pub incident: IncidentId,
}

/// A published notice, as the public reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Notice {
    /// The address of the page.
    pub url: String,
    /// The SHA-256 of the page, hexadecimal.
    pub sha256: String,
}

impl Call for PublishNotice {
    const PATH: &'static str = "/v1/notices/publish";
    const PROBLEMS: &'static [ProblemType] = &[INCIDENT_CLOSED, NOT_SCOPED];
    type Answer = Notice;
}

/// Makes the report: everything that is known about an incident.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MakeReport {
    /// The incident of the report.
    pub incident: IncidentId,
}

/// A report: everything that is known about an incident.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// The incident, as it was declared and amended.
    pub incident: Incident,
    /// The exposure, once the incident was scoped.
    pub exposure: Option<Exposure>,
    /// The people exposed and what became of them, once the incident was scoped.
    #[serde(default)]
    pub people: Option<ExposedPeople>,
    /// The result of the void order over everybody, once it was given.
    pub voided: Option<Voided>,
    /// The letters of the incident.
    pub letters: Vec<LetterStatus>,
    /// The notice, once published.
    pub notice: Option<Notice>,
    /// The alarms that rang in the window.
    pub alarms: Vec<Alarm>,
    /// The journal of the incident.
    pub journal: Vec<JournalEntry>,
    /// The report as one self-contained HTML page.
    pub html: String,
}

impl Call for MakeReport {
    const PATH: &'static str = "/v1/reports/make";
    type Answer = Report;
}
