//! Access logs that a shop brings: the accesses to customers' data that other systems recorded.

use std::collections::{BTreeMap, BTreeSet};

use cofferdam_core::{Access, Call, CallerName, FieldSet, ProblemType, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::PAGE_OUT_OF_TURN;

/// Begins to bring an access log. For a log that was begun before, the answer tells how far it is.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BeginAccessLog {
    /// SHA-256 of the file and its mapping, hexadecimal: the log's id from now on.
    #[schemars(extend("examples" = ["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]))]
    pub log: String,
    /// The name by which people know the log, usually the file's.
    #[schemars(extend("examples" = ["postgresql-01.csv"]))]
    pub name: String,
    /// The format of the log's lines.
    #[schemars(extend("examples" = ["pgaudit-csv"]))]
    pub format: String,
}

/// The progress of bringing an access log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccessLogState {
    /// Pages that were taken; page numbers start at 0.
    pub pages: u32,
    /// Whether the whole log was brought and finished.
    pub finished: bool,
}

impl Call for BeginAccessLog {
    const PATH: &'static str = "/v1/access-logs/begin";
    type Answer = AccessLogState;
}

/// Imports a page of an access log. The table must be brought first, because the people whom an
/// access names are looked up in it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportAccessLog {
    /// The log's id, as it was begun.
    pub log: String,
    /// The number of the page: the next one, from 0.
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

/// Finishes the import of an access log: `response` sorts its accesses by time and indexes them.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FinishAccessLog {
    /// The log's id, as it was begun.
    pub log: String,
    /// The span for which the log is complete.
    pub covers: Span,
    /// The number of lines that could not be read.
    pub unreadable: u64,
    /// The hosts about which the log tells everything.
    #[serde(default)]
    pub source: Option<LogSource>,
    /// The statements of staff about the log.
    #[serde(default)]
    pub stated: LogStatements,
    /// The catalogue by which the log was read, if it is a database's.
    #[serde(default)]
    pub catalogue: Option<LogCatalogue>,
    /// Whether the log is known to hold every read.
    #[serde(default)]
    pub reads: LoggedReads,
}

/// The formats of logs whose sources can be told to log no reads, as with `pgaudit.log = 'write'`.
pub const MAY_LACK_READS: [&str; 6] =
    ["pgaudit-csv", "pgaudit-json", "pgaudit-stderr", "mariadb-audit", "cloudtrail", "json-lines"];

/// Whether a log is known to hold every read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LoggedReads {
    /// The log was brought before this was asked.
    #[default]
    NotAsked,
    /// Its lines show that reads are logged, or no source of its format leaves them out.
    Shown,
    /// No line shows it for everybody who appears in the log.
    NotShown,
    /// The catalogue shows that the reads of these roles are left out.
    LeavesOut(Vec<String>),
}

/// The catalogue of a database by which its log was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogCatalogue {
    /// The instant at which it was taken.
    pub taken: Timestamp,
    /// Whether the logs show every definition between the log and this instant: definitions are
    /// logged, the instant is within the time of the logs, and no file is missing.
    pub followed: bool,
}

/// The source of a log: the hosts about which its files tell everything, and the host that writes
/// them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogSource {
    /// The name that all files of the source share.
    #[schemars(extend("examples" = ["web web-ky-1"]))]
    pub name: String,
    /// The host that writes the log, if it is known.
    pub server: Option<CallerName>,
    /// Whether the log covers every client that appears in a file of the source.
    pub clients: bool,
    /// Further hosts that the log covers.
    pub covers: BTreeSet<CallerName>,
    /// Whether the writer is a database. Its own log never covers it.
    pub database: bool,
}

impl LogSource {
    /// Whether the source tells everything about a fallen host. `fallen` tells of any host whether
    /// it fell, `appears` whether the host appears in a file of the source. A log that a fallen
    /// host could write proves nothing, unless it was `shipped` off as it grew.
    #[must_use]
    pub fn covers(
        &self,
        host: &CallerName,
        fallen: impl Fn(&CallerName) -> bool,
        appears: bool,
        shipped: bool,
    ) -> bool {
        let writer_fell = self.server.as_ref().is_some_and(fallen);
        if writer_fell && !shipped {
            return false;
        }
        if self.server.as_ref() == Some(host) {
            return !self.database;
        }
        self.covers.contains(host) || (self.clients && appears)
    }
}

/// The statements of staff about a log. The log itself proves none of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each is a statement of its own")]
pub struct LogStatements {
    /// The span of its coverage.
    pub covers: bool,
    /// Nothing is missing between this file and the next.
    pub joined: bool,
    /// The log was shipped off its host as it grew, so that a fallen host could not change it.
    pub shipped: bool,
    /// No definition but those in the logs came between the log and the catalogue.
    #[serde(default)]
    pub unchanged: bool,
    /// The log holds every read of customers' data, although it does not show that.
    #[serde(default)]
    pub reads_logged: bool,
}

/// A span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Span {
    /// The beginning of the span.
    pub from: Timestamp,
    /// The end of the span.
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
    /// The name by which people know the log.
    pub name: String,
    /// The format of the log's lines.
    pub format: String,
    /// The span for which the log is complete.
    pub covers: Span,
    /// The number of accesses in the log.
    pub accesses: u64,
    /// The number of accesses whose customers can't be told: each counts as everybody's.
    pub everybody: u64,
    /// The number of named customers who are not in the table: other people, who are not listed.
    pub unknown: u64,
    /// The lines that name them, at most a hundred.
    #[serde(default)]
    pub unknown_lines: Vec<u64>,
    /// The number of lines that could not be read.
    pub unreadable: u64,
    /// The clients, users and servers that appear in the log, each with the number of its accesses:
    /// the thousand with most.
    pub actors: BTreeMap<CallerName, u64>,
    /// The hosts about which the log tells everything. A log that was brought before sources were
    /// kept has none: it proves nothing.
    #[serde(default)]
    pub source: Option<LogSource>,
    /// The statements of staff about the log.
    #[serde(default)]
    pub stated: LogStatements,
    /// The catalogue by which the log was read, if it is a database's.
    #[serde(default)]
    pub catalogue: Option<LogCatalogue>,
    /// Whether the log is known to hold every read.
    #[serde(default)]
    pub reads: LoggedReads,
}

/// Lists the access logs that were brought, by name.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListAccessLogs {}

impl Call for ListAccessLogs {
    const PATH: &'static str = "/v1/access-logs/list";
    type Answer = Vec<AccessLog>;
}

/// Removes an access log, for example one that was brought with the wrong mapping. Exposures keep
/// their numbers until the next scope.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveAccessLog {
    /// The log's id, as [`ListAccessLogs`] shows it.
    pub log: String,
}

impl Call for RemoveAccessLog {
    const PATH: &'static str = "/v1/access-logs/remove";
    type Answer = ();
}

/// An access whose customers can't be told, and which counts as everybody's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unresolved {
    /// The access log's name.
    pub log: String,
    /// The line in the access log, from 1.
    pub line: u64,
    /// The instant of the access.
    pub at: Timestamp,
    /// The client that read or wrote.
    pub caller: CallerName,
    /// The user or server as which the client acted.
    pub via: CallerName,
    /// The fields that the access touched.
    pub fields: FieldSet,
    /// The reason why its customers can't be told.
    pub why: String,
}
