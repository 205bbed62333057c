//! Access logs that a shop brings: what other systems tell of accesses to customers' data.

use std::collections::BTreeMap;

use cofferdam_core::{Access, Call, CallerName, FieldSet, ProblemType, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::PAGE_OUT_OF_TURN;

/// Begins to bring an access log, or says how far it is.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BeginAccessLog {
    /// SHA-256 of the file and its mapping, hexadecimal: the log's id from now on.
    #[schemars(extend("examples" = ["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]))]
    pub log: String,
    /// The name by which people know it, usually the file's.
    #[schemars(extend("examples" = ["postgresql-01.csv"]))]
    pub name: String,
    /// Its format.
    #[schemars(extend("examples" = ["pgaudit-csv"]))]
    pub format: String,
}

/// How far an access log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccessLogState {
    /// Pages that were taken; page numbers start at 0.
    pub pages: u32,
    /// Whether it is whole.
    pub finished: bool,
}

impl Call for BeginAccessLog {
    const PATH: &'static str = "/v1/access-logs/begin";
    type Answer = AccessLogState;
}

/// Imports a page of an access log. The table must be there: the people whom an access names are
/// looked up in it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportAccessLog {
    /// The log's id.
    pub log: String,
    /// The number of the page: the next one.
    pub page: u32,
    /// Up to [`MAX_PAGE`](crate::MAX_PAGE) accesses.
    pub accesses: Vec<Access>,
}

impl Call for ImportAccessLog {
    const PATH: &'static str = "/v1/access-logs/import";
    const COMPACT: bool = true;
    const PROBLEMS: &'static [ProblemType] = &[PAGE_OUT_OF_TURN];
    type Answer = ();
}

/// Finishes the import of an access log: `response` puts its accesses in order and indexes them.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FinishAccessLog {
    /// The log's id.
    pub log: String,
    /// The span of which it tells everything.
    pub covers: Span,
    /// Lines that could not be read.
    pub unreadable: u64,
}

/// A span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Span {
    /// Its beginning.
    pub from: Timestamp,
    /// Its end.
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
    /// The name by which people know it.
    pub name: String,
    /// Its format.
    pub format: String,
    /// The span of which it tells everything.
    pub covers: Span,
    /// Accesses in it.
    pub accesses: u64,
    /// Accesses that can't be told to be anybody's: they count as everybody's.
    pub everybody: u64,
    /// Customers who are named and are not in the table.
    pub unknown: u64,
    /// Lines that could not be read.
    pub unreadable: u64,
    /// The clients, users and servers that appear in it, each with the number of its accesses.
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

/// Removes an access log, for example one that was brought with the wrong mapping. Exposures that were
/// computed keep their numbers until the next scope.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveAccessLog {
    /// The log's id.
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
    /// The line in it, from 1.
    pub line: u64,
    /// When.
    pub at: Timestamp,
    /// The client.
    pub caller: CallerName,
    /// The user or server as which it acted.
    pub via: CallerName,
    /// The fields.
    pub fields: FieldSet,
    /// Why it can't be told.
    pub why: String,
}
