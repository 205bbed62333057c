//! Bringing a shop's own table of customers, and its own access logs.

use std::collections::BTreeMap;

use cofferdam_core::{Access, Call, CallerName, FieldSet, RosterPerson, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most people, or accesses, of one call.
pub const MAX_PAGE: usize = 10_000;

/// Whose records an incident is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum People {
    /// The customers that `accounts` holds, as the release logs tell.
    #[default]
    Accounts,
    /// The people of the roster, as the access logs that were brought tell.
    Roster,
}

impl People {
    /// The name used in the store and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Roster => "roster",
        }
    }
}

/// Brings a page of the roster. Who is known by key is brought up to date. Name, address and e-mail
/// address are sealed before they are stored.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportRoster {
    /// One to [`MAX_PAGE`] people.
    pub people: Vec<RosterPerson>,
}

/// What became of a page of the roster.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RosterPage {
    /// New on the roster.
    pub created: u64,
    /// Brought up to date.
    pub updated: u64,
}

impl Call for ImportRoster {
    const PATH: &'static str = "/v1/roster/import";
    const COMPACT: bool = true;
    type Answer = RosterPage;
}

/// Ends the bringing of a roster: from now on scopes count its people.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FinishRoster {}

/// Who is on the roster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RosterCounts {
    /// Everybody.
    pub people: u64,
    /// By country and region as `US-KY`, `DE`; `unknown`.
    pub jurisdictions: BTreeMap<String, u64>,
}

impl Call for FinishRoster {
    const PATH: &'static str = "/v1/roster/finish";
    type Answer = RosterCounts;
}

/// Looks a person up by the shop's own key.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FindPerson {
    /// The key.
    pub key: String,
}

impl Call for FindPerson {
    const PATH: &'static str = "/v1/roster/find";
    /// The record; `None` where nobody has that key.
    type Answer = Option<cofferdam_core::Record>;
}

/// Begins to bring an access log, or says how far it is.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BeginAccessLog {
    /// SHA-256 of the file and its mapping, hexadecimal: its name from now on.
    pub log: String,
    /// What people call it, most likely the file's name.
    pub name: String,
    /// Its format.
    pub format: String,
}

/// How far an access log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccessLogState {
    /// Pages that are there: page numbers go from 0.
    pub pages: u32,
    /// Whether it is whole.
    pub finished: bool,
}

impl Call for BeginAccessLog {
    const PATH: &'static str = "/v1/access-logs/begin";
    type Answer = AccessLogState;
}

/// Brings a page of an access log. The roster must be there: who is named is looked up in it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportAccesses {
    /// Which log.
    pub log: String,
    /// Which page: the next one.
    pub page: u32,
    /// Up to [`MAX_PAGE`].
    pub accesses: Vec<Access>,
}

impl Call for ImportAccesses {
    const PATH: &'static str = "/v1/access-logs/import";
    const COMPACT: bool = true;
    type Answer = ();
}

/// Ends the bringing of an access log: its accesses are put in order, and its index is made.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FinishAccessLog {
    /// Which log.
    pub log: String,
    /// The span of which it tells everything.
    pub covers: Span,
    /// Lines that could not be read.
    pub unreadable: u64,
}

/// From when to when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Span {
    /// From.
    pub from: Timestamp,
    /// To.
    pub to: Timestamp,
}

impl Call for FinishAccessLog {
    const PATH: &'static str = "/v1/access-logs/finish";
    type Answer = AccessLog;
}

/// An access log that was brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccessLog {
    /// SHA-256 of the file and its mapping, hexadecimal.
    pub log: String,
    /// What people call it.
    pub name: String,
    /// Its format.
    pub format: String,
    /// The span of which it tells everything.
    pub covers: Span,
    /// Accesses in it.
    pub accesses: u64,
    /// Of those, how many can't be told to be anybody's: they count as everybody's.
    pub everybody: u64,
    /// How many customers were named that are not on the roster.
    pub unknown: u64,
    /// Lines that could not be read.
    pub unreadable: u64,
    /// Who appears in it: clients, users and servers, with the number of accesses of each.
    pub actors: BTreeMap<CallerName, u64>,
}

/// Lists the access logs that were brought, by name.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListAccessLogs {}

impl Call for ListAccessLogs {
    const PATH: &'static str = "/v1/access-logs/list";
    type Answer = Vec<AccessLog>;
}

/// Takes an access log away, as one that was brought with the wrong mapping. Scopes that were
/// computed keep their numbers until they are computed anew.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveAccessLog {
    /// Which log.
    pub log: String,
}

impl Call for RemoveAccessLog {
    const PATH: &'static str = "/v1/access-logs/remove";
    type Answer = ();
}

/// An access that can't be told to be anybody's, and counts as everybody's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unresolved {
    /// The access log's name.
    pub log: String,
    /// Where in it.
    pub line: u64,
    /// When.
    pub at: Timestamp,
    /// From where.
    pub caller: CallerName,
    /// As whom.
    pub via: CallerName,
    /// Which fields.
    pub fields: FieldSet,
    /// Why it can't be told.
    pub why: String,
}
