//! Incidents: declaring, amending, closing and listing them.

use std::fmt;

use cofferdam_core::{Call, CallerName, NO_SUCH_CALLER, ProblemType, Reason, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{FallenHost, INCIDENT_CLOSED, LETTER_PLANNED, LETTER_RUNNING};

/// The number of an incident, from 1.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct IncidentId(pub u32);

impl IncidentId {
    /// The number in the journal for acts that belong to no incident, such as bringing a table.
    pub const NONE: Self = Self(0);
}

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The people whose records an incident is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum People {
    /// The customers of `accounts`. The release logs show who read them.
    #[default]
    Accounts,
    /// The people of the brought table. The access logs show who read them.
    #[serde(alias = "roster")]
    Table,
}

impl People {
    /// The name on the command line and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Table => "table",
        }
    }
}

/// Declares an incident: its clocks start.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeclareIncident {
    /// One line that names the incident, without personal data.
    #[schemars(extend("examples" = ["web-ky-1 reads customers without cause"]))]
    pub title: String,
    /// The hosts that fell, at least one.
    #[schemars(length(min = 1))]
    pub fallen: Vec<FallenHost>,
    /// The beginning of the window in which the hosts count as fallen.
    pub from: Timestamp,
    /// The end of the window; `None` means the instant of each scope.
    pub to: Option<Timestamp>,
    /// The way in which the breach was found, without personal data.
    #[schemars(extend("examples" = ["A decoy was opened"]))]
    pub found: String,
    /// The people whose records the incident is about.
    #[serde(default)]
    pub people: People,
    /// Those of the fallen hosts that nobody has to know: `keys` lists them no more, or does not
    /// answer, or no brought access log names them. Any other name that `keys` does not list is
    /// refused; about a table, one that the brought logs do not name, once there are some.
    #[serde(default)]
    pub unlisted: Vec<CallerName>,
}

impl Call for DeclareIncident {
    const PATH: &'static str = "/v1/incidents/declare";
    const PROBLEMS: &'static [ProblemType] = &[NO_SUCH_CALLER];
    type Answer = Incident;
}

/// Amends an incident: another fallen host, a corrected window or title. Values that are left out
/// stay, and the journal keeps the earlier ones. Other hosts or another window void the exposure;
/// they are refused once a letter to customers is planned.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AmendIncident {
    /// The incident to amend.
    pub incident: IncidentId,
    /// Hosts that fell besides those named before.
    #[serde(default)]
    pub add_fallen: Vec<FallenHost>,
    /// Hosts that were named by mistake.
    #[serde(default)]
    pub remove_fallen: Vec<FallenHost>,
    /// Those of the added hosts that nobody has to know, as in [`DeclareIncident`].
    #[serde(default)]
    pub unlisted: Vec<CallerName>,
    /// The new beginning of the window.
    pub from: Option<Timestamp>,
    /// The new end of the window.
    pub to: Option<Timestamp>,
    /// The new title, without personal data.
    pub title: Option<String>,
    /// The reason for the change, without personal data.
    pub reason: Reason,
}

impl Call for AmendIncident {
    const PATH: &'static str = "/v1/incidents/amend";
    const PROBLEMS: &'static [ProblemType] = &[INCIDENT_CLOSED, LETTER_PLANNED, NO_SUCH_CALLER];
    type Answer = Incident;
}

/// Closes an incident. Nothing more can be ordered for it, except that callers can be thawed.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseIncident {
    /// The incident to close.
    pub incident: IncidentId,
    /// The reason why the incident is over, without personal data.
    pub reason: Reason,
}

impl Call for CloseIncident {
    const PATH: &'static str = "/v1/incidents/close";
    const PROBLEMS: &'static [ProblemType] = &[INCIDENT_CLOSED, LETTER_RUNNING];
    type Answer = Incident;
}

/// An incident, as it was declared and amended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Incident {
    /// The incident's number.
    pub incident: IncidentId,
    /// One line that names the incident.
    pub title: String,
    /// The hosts that fell.
    pub fallen: Vec<FallenHost>,
    /// The beginning of the window in which the hosts count as fallen.
    pub from: Timestamp,
    /// The end of the window; `None` while the window is open.
    pub to: Option<Timestamp>,
    /// The way in which the breach was found.
    pub found: String,
    /// The people whose records the incident is about.
    #[serde(default)]
    pub people: People,
    /// The instant of the declaration: the base of the legal clocks.
    pub declared: Timestamp,
    /// The person or program that declared it.
    pub declared_by: CallerName,
    /// The instant at which it was closed, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Timestamp>,
}

/// Lists the incidents, newest first.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListIncidents {}

impl Call for ListIncidents {
    const PATH: &'static str = "/v1/incidents/list";
    type Answer = Vec<Incident>;
}
