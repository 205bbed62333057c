//! Mappings of logs: the TOML in which an operator describes a log.

use std::collections::BTreeMap;

use cofferdam_core::Field;
use serde::Deserialize;

/// The mapping of a log. Its `format` selects the variant.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "format", rename_all = "kebab-case")]
pub enum LogMapping {
    /// `PostgreSQL`'s `csvlog` with lines of pgaudit.
    PgauditCsv(Pgaudit),
    /// `PostgreSQL`'s `jsonlog` with lines of pgaudit.
    PgauditJson(Pgaudit),
    /// One JSON object per line.
    JsonLines(Events),
    /// An unpacked file of AWS `CloudTrail`.
    Cloudtrail(CloudTrail),
    /// The combined format of nginx and Apache.
    Combined(Combined),
}

impl LogMapping {
    /// The name of the format, as in the TOML.
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

/// The mapping of a log with lines of pgaudit.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pgaudit {
    /// The time zone of the log, such as `Europe/Berlin`. It is needed if the log abbreviates its
    /// time zone in letters.
    pub time_zone: Option<String>,
    /// The tables with customers' data.
    #[serde(rename = "table")]
    pub tables: Vec<Table>,
    /// Tables and views that neither hold nor read customers' data. A statement that names a
    /// relation in neither list counts for everybody, because the relation may be a view.
    #[serde(default)]
    pub other_relations: Vec<String>,
    /// Functions of the shop that give out no customers' data. A statement that calls any other
    /// function than PostgreSQL's own counts for everybody.
    #[serde(default)]
    pub other_functions: Vec<String>,
}

/// A database table with customers' data.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The name as `schema.name`. A part in double quotes is exact, as in SQL.
    pub name: String,
    /// The column with the customer's key, as the brought table has it.
    pub key: String,
    /// The column with the e-mail address, if statements may name customers by it.
    pub email: Option<String>,
    /// Columns whose content is a field, of which customers are told if it was read.
    pub fields: BTreeMap<String, Field>,
    /// Columns that tell nothing about a person. A column that is listed nowhere counts as all
    /// fields.
    #[serde(default)]
    pub harmless: Vec<String>,
}

/// The mapping of JSON objects. Places are JSON pointers (RFC 6901).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Events {
    /// The place of the time: RFC 3339, or seconds or milliseconds since 1970.
    pub time: String,
    /// The place of the client's address.
    pub from: String,
    /// The place of the user, API key or server.
    #[serde(rename = "as")]
    pub user: String,
    /// The rules for events. The first rule that fits applies; other events touch no customer.
    #[serde(rename = "event")]
    pub rules: Vec<EventRule>,
}

/// The mapping of `CloudTrail` records.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloudTrail {
    /// The rules for events. The first rule that fits applies; other events touch no customer.
    #[serde(rename = "event")]
    pub rules: Vec<EventRule>,
}

/// The rule for an event that touches customers' data.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventRule {
    /// The value that each place must have for the rule to fit.
    #[serde(default)]
    pub when: BTreeMap<String, String>,
    /// The place of the customer's key or of an array of keys. Without this and `email`, the event
    /// touches everybody.
    pub customer: Option<String>,
    /// The place of the customer's e-mail address.
    pub email: Option<String>,
    /// The form of the value at `customer`, such as `profiles/{customer}.json`. Without a pattern,
    /// the whole value is the key.
    pub pattern: Option<String>,
    /// The fields that the event touches.
    pub fields: Vec<Field>,
    /// The direction of the data.
    #[serde(default)]
    pub level: Direction,
}

/// The mapping of a web server's requests.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Combined {
    /// The name of the server that wrote the log.
    pub server: String,
    /// The rules for paths. The first rule that fits applies; other paths touch no customer.
    #[serde(rename = "path")]
    pub rules: Vec<PathRule>,
}

/// The rule for a path that reads or writes customers' data.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PathRule {
    /// The pattern of the path, such as `/customers/{customer}/profile` or `/find?email={email}`.
    /// `*` stands for one segment, and `**` at the end for any number. Without a placeholder for
    /// the customer, a request touches everybody.
    pub pattern: String,
    /// The methods to which the rule applies; all methods if empty.
    #[serde(default)]
    pub methods: Vec<String>,
    /// The fields that a request touches.
    pub fields: Vec<Field>,
    /// The direction of the data.
    #[serde(default)]
    pub level: Direction,
}

/// The direction of the data in an access.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The client read data.
    #[default]
    Read,
    /// The client supplied data.
    Presented,
}

impl Direction {
    /// The operation that stands for this direction.
    #[must_use]
    pub const fn operation(self) -> cofferdam_core::Operation {
        match self {
            Self::Read => cofferdam_core::Operation::Release,
            Self::Presented => cofferdam_core::Operation::Seal,
        }
    }
}
