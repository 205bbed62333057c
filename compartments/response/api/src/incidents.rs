//! Declaring an incident, and what becomes of it.

use std::fmt;

use cofferdam_core::{Call, CallerName, ProblemType, Timestamp};
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
    /// Stands in journals for acts that belong to no incident, such as bringing a table.
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
    /// The customers that `accounts` holds, as the release logs tell.
    #[default]
    Accounts,
    /// The people of the brought table, as the access logs tell.
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
    /// A line that names it, without personal data.
    #[schemars(extend("examples" = ["web-ky-1 reads customers without cause"]))]
    pub title: String,
    /// The hosts that fell, at least one.
    #[schemars(length(min = 1))]
    pub fallen: Vec<FallenHost>,
    /// Since when the hosts count as fallen.
    pub from: Timestamp,
    /// Until when; `None` means until now, at each scope.
    pub to: Option<Timestamp>,
    /// How it was found, without personal data.
    #[schemars(extend("examples" = ["A decoy was opened"]))]
    pub found: String,
    /// The people whose records it is about.
    #[serde(default)]
    pub people: People,
}

impl Call for DeclareIncident {
    const PATH: &'static str = "/v1/incidents/declare";
    type Answer = Incident;
}

/// Amends an incident: another fallen host, a corrected window or title. What is left out stays. The
/// journal keeps what stood before. Other hosts or another window void the exposure; once a letter to
/// customers is planned, they take another incident.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AmendIncident {
    /// The incident.
    pub incident: IncidentId,
    /// Hosts that fell besides those named before.
    #[serde(default)]
    pub add_fallen: Vec<FallenHost>,
    /// Hosts that were named by mistake.
    #[serde(default)]
    pub remove_fallen: Vec<FallenHost>,
    /// The window's new beginning.
    pub from: Option<Timestamp>,
    /// The window's new end.
    pub to: Option<Timestamp>,
    /// The new title.
    pub title: Option<String>,
    /// Why it is amended, without personal data.
    #[schemars(extend("examples" = ["The thief moved on to web-ky-2"]))]
    pub reason: String,
}

impl Call for AmendIncident {
    const PATH: &'static str = "/v1/incidents/amend";
    const PROBLEMS: &'static [ProblemType] = &[INCIDENT_CLOSED, LETTER_PLANNED];
    type Answer = Incident;
}

/// Closes an incident. It can still be read, and callers can be thawed; nothing else is ordered for it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseIncident {
    /// The incident.
    pub incident: IncidentId,
    /// Why it is over, without personal data.
    #[schemars(extend("examples" = ["The server was rebuilt and all letters are out"]))]
    pub reason: String,
}

impl Call for CloseIncident {
    const PATH: &'static str = "/v1/incidents/close";
    const PROBLEMS: &'static [ProblemType] = &[INCIDENT_CLOSED, LETTER_RUNNING];
    type Answer = Incident;
}

/// An incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Incident {
    /// Its number.
    pub incident: IncidentId,
    /// A line that names it.
    pub title: String,
    /// The hosts that fell.
    pub fallen: Vec<FallenHost>,
    /// Since when the hosts count as fallen.
    pub from: Timestamp,
    /// Until when; `None` while the window is open.
    pub to: Option<Timestamp>,
    /// How it was found.
    pub found: String,
    /// The people whose records it is about.
    #[serde(default)]
    pub people: People,
    /// When it was declared: the base of the legal clocks.
    pub declared: Timestamp,
    /// The person or program that declared it.
    pub declared_by: CallerName,
    /// When it was closed.
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
