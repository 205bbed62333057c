//! How a log is to be understood: what stands in the TOML beside it.

use std::collections::BTreeMap;

use cofferdam_core::Field;
use serde::Deserialize;

/// The mapping of a log, by its `format`.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "format", rename_all = "kebab-case")]
pub enum LogMapping {
    /// `PostgreSQL`'s `csvlog` with lines of pgaudit.
    PgauditCsv(Pgaudit),
    /// `PostgreSQL`'s `jsonlog` with lines of pgaudit.
    PgauditJson(Pgaudit),
    /// One JSON object a line.
    JsonLines(Events),
    /// Files as AWS `CloudTrail` delivers them, unpacked.
    Cloudtrail(CloudTrail),
    /// nginx's and Apache's combined format.
    Combined(Combined),
}

impl LogMapping {
    /// The format's name.
    #[must_use]
    pub const fn format(&self) -> &'static str {
        match self {
            Self::PgauditCsv(_) => "pgaudit-csv",
            Self::PgauditJson(_) => "pgaudit-json",
            Self::JsonLines(_) => "json-lines",
            Self::Cloudtrail(_) => "cloudtrail",
            Self::Combined(_) => "combined",
        }
    }
}

/// What statements of pgaudit speak of.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pgaudit {
    /// The time zone of the log's instants, where they name it in letters: `Europe/Berlin`.
    pub time_zone: Option<String>,
    /// The tables that hold customers' data.
    #[serde(rename = "table")]
    pub tables: Vec<Table>,
    /// Tables and views that hold none of it, and read none. A statement that names any other
    /// relation counts as everybody's: it might be a view.
    #[serde(default)]
    pub other_relations: Vec<String>,
}

/// A table that holds customers' data.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// `schema.name`.
    pub name: String,
    /// The column that names the customer, as the roster does.
    pub key: String,
    /// The column with the e-mail address, where statements may name customers by it.
    pub email: Option<String>,
    /// Columns that hold what is told to customers when it was read.
    pub fields: BTreeMap<String, Field>,
    /// Columns that tell nothing about a person. Every other counts as all of the fields.
    #[serde(default)]
    pub harmless: Vec<String>,
}

/// How JSON objects are understood. Places are JSON pointers (RFC 6901).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Events {
    /// Where the instant stands: RFC 3339, or seconds or milliseconds since 1970.
    pub time: String,
    /// Where the client's address stands.
    pub from: String,
    /// Where the user, key or server stands.
    #[serde(rename = "as")]
    pub user: String,
    /// What to look for; the first that fits counts.
    #[serde(rename = "event")]
    pub rules: Vec<EventRule>,
}

/// How records of `CloudTrail` are understood.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloudTrail {
    /// What to look for; the first that fits counts.
    #[serde(rename = "event")]
    pub rules: Vec<EventRule>,
}

/// An event that touches customers' data.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventRule {
    /// What must stand where.
    #[serde(default)]
    pub when: BTreeMap<String, String>,
    /// Where the customer's key stands, or several in an array. Without this and `email`, the
    /// event touches everybody.
    pub customer: Option<String>,
    /// Where the e-mail address stands.
    pub email: Option<String>,
    /// How the key stands there, as in `profiles/{customer}.json`; all of it if left out.
    pub pattern: Option<String>,
    /// Which fields it touches.
    pub fields: Vec<Field>,
    /// Whether data went out or came in.
    #[serde(default)]
    pub level: Direction,
}

/// How requests are understood.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Combined {
    /// The server that wrote the log.
    pub server: String,
    /// What to look for; the first that fits counts. Other paths touch nobody.
    #[serde(rename = "path")]
    pub rules: Vec<PathRule>,
}

/// A path that gives, or takes, customers' data.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PathRule {
    /// As `/customers/{customer}/profile`, `/find?email={email}`; `*` stands for one segment, `**`
    /// at the end for any. Without a place for the customer, it touches everybody.
    pub pattern: String,
    /// Only these methods; all if left out.
    #[serde(default)]
    pub methods: Vec<String>,
    /// Which fields it touches.
    pub fields: Vec<Field>,
    /// Whether data went out or came in.
    #[serde(default)]
    pub level: Direction,
}

/// Which way data went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// It went out.
    #[default]
    Read,
    /// It came in.
    Presented,
}

impl Direction {
    /// The same as an operation.
    #[must_use]
    pub const fn operation(self) -> cofferdam_core::Operation {
        match self {
            Self::Read => cofferdam_core::Operation::Release,
            Self::Presented => cofferdam_core::Operation::Seal,
        }
    }
}
