//! Declaring an incident, its journal, and the alarms that lead to one.

use std::fmt;

use cofferdam_core::{Call, CallerName, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{FallenHost, People};

/// The number of an incident, from 1.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct IncidentId(pub u32);

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Declares an incident: the clocks start.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeclareIncident {
    /// A line that names it, without personal data.
    pub title: String,
    /// The hosts that fell, at least one.
    pub fallen: Vec<FallenHost>,
    /// Since when they must be taken for fallen.
    pub from: Timestamp,
    /// Until when; `None`: until now, at each look.
    pub to: Option<Timestamp>,
    /// How it was found.
    pub found: String,
    /// Whose records it is about.
    #[serde(default)]
    pub people: People,
}

impl Call for DeclareIncident {
    const PATH: &'static str = "/v1/incidents/declare";
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
    /// Since when.
    pub from: Timestamp,
    /// Until when; `None`: not closed yet.
    pub to: Option<Timestamp>,
    /// How it was found.
    pub found: String,
    /// Whose records it is about.
    #[serde(default)]
    pub people: People,
    /// When it was declared: the base of the legal clocks.
    pub declared: Timestamp,
    /// By whom.
    pub declared_by: CallerName,
}

/// Lists the incidents, newest first.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListIncidents {}

impl Call for ListIncidents {
    const PATH: &'static str = "/v1/incidents/list";
    type Answer = Vec<Incident>;
}

/// Reads the alarms that `keys` raised, as copied here, oldest first.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadFeed {
    /// Only what changed after this sequence number; 0 for all.
    pub after: u64,
}

/// An alarm in the feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FeedAlarm {
    /// Grows with every alarm and every repeat.
    pub seq: u64,
    /// When it rang first.
    pub first: Timestamp,
    /// When it rang last.
    pub last: Timestamp,
    /// What it is about, as `budget` or `decoy`.
    pub kind: String,
    /// Who set it off, where a caller did.
    pub caller: Option<CallerName>,
    /// How often it rang.
    pub count: u64,
    /// One sentence.
    pub detail: String,
}

impl Call for ReadFeed {
    const PATH: &'static str = "/v1/alarms/feed";
    type Answer = Vec<FeedAlarm>;
}
