//! Mappings of logs: the TOML in which an operator describes a log.

mod check;
mod faulty;
mod named;
mod pgaudit;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use cofferdam_core::{CallerName, Field, Timestamp};
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::catalogue::Catalogue;
use crate::log_format::LogFormat;
use crate::pattern::{Pattern, ValuePattern};
use crate::presets;

pub use named::UnnamedTables;
pub use pgaudit::{Pgaudit, Step, Table};

/// The mapping of a log. Its `format` selects the variant.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "format", rename_all = "kebab-case")]
pub enum LogMapping {
    /// `PostgreSQL`'s `csvlog` with lines of pgaudit.
    PgauditCsv(Pgaudit),
    /// `PostgreSQL`'s `jsonlog` with lines of pgaudit.
    PgauditJson(Pgaudit),
    /// `PostgreSQL`'s log as text, with lines of pgaudit.
    PgauditStderr(Pgaudit),
    /// One JSON object per line.
    JsonLines(Events),
    /// AWS `CloudTrail`, in any of its wrappings.
    Cloudtrail(CloudTrail),
    /// The access log of a web server such as nginx or Apache.
    #[serde(alias = "combined")]
    Web(Web),
    /// The extended log format of the W3C, which IIS and AWS `CloudFront` write.
    W3c(W3c),
    /// `MariaDB`'s `server_audit`.
    MariadbAudit(MariadbAudit),
}

/// A mapping that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// It is not TOML, or does not have the fields of its format.
    #[error("{0}")]
    Toml(#[from] Box<toml::de::Error>),
    /// A table or a rule does not have the fields that it needs.
    #[error("{name} (line {line}): {source}")]
    Part {
        /// The table's name, or the rule's number.
        name: String,
        /// The line on which it begins.
        line: usize,
        /// The parser's error, which names the field.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// No preset has this name.
    #[error("there is no preset {0}; there are {known}", known = presets::names())]
    NoPreset(String),
    /// A rule, a place or a time zone can't be meant like this.
    #[error("{0}")]
    Meaningless(String),
}

/// The hosts about which a log tells everything, and the host that writes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// The host that writes the log, if the mapping names it.
    pub server: Option<CallerName>,
    /// Whether the log covers every client that appears in it.
    pub clients: bool,
    /// Further hosts that the log covers.
    pub covers: Vec<CallerName>,
    /// Whether the writer is a database. Its own log never covers it.
    pub database: bool,
}

impl LogMapping {
    /// Parses a mapping and checks it as a whole. A `preset` stands for the lines of its own TOML;
    /// the mapping's own lines go before them.
    pub fn parse(text: &str) -> Result<Self, MappingError> {
        let own: toml::Table = toml::from_str(text).map_err(Box::new)?;
        let parsed = if own.contains_key("preset") {
            presets::expand(own)?.try_into()
        } else {
            toml::from_str(text)
        };
        let mapping: Self = parsed.map_err(|e| faulty::located(text, e))?;
        check::check(&mapping).map_err(MappingError::Meaningless)?;
        Ok(mapping)
    }

    /// The name of the format, as in the TOML.
    #[must_use]
    pub const fn format(&self) -> &'static str {
        match self {
            Self::PgauditCsv(_) => "pgaudit-csv",
            Self::PgauditJson(_) => "pgaudit-json",
            Self::PgauditStderr(_) => "pgaudit-stderr",
            Self::JsonLines(_) => "json-lines",
            Self::Cloudtrail(_) => "cloudtrail",
            Self::Web(_) => "web",
            Self::W3c(_) => "w3c",
            Self::MariadbAudit(_) => "mariadb-audit",
        }
    }

    /// The file with the catalogue of the database, as the mapping names it.
    #[must_use]
    pub fn catalogue(&self) -> Option<&Path> {
        self.pgaudit().and_then(|of| of.catalogue.as_deref())
    }

    /// Takes the catalogue that the mapping names, and checks the mapping against it.
    pub fn set_catalogue(&mut self, catalogue: Catalogue) -> Result<(), MappingError> {
        let Some(of) = self.pgaudit_mut() else { return Ok(()) };
        of.known_catalogue = Some(Arc::new(catalogue));
        check::check_catalogue(of).map_err(MappingError::Meaningless)
    }

    /// Checks the mapping against what [`read_definitions`](crate::read_definitions) found in the logs.
    pub fn check_logs(&self) -> Result<(), MappingError> {
        let checked = self.pgaudit().map_or(Ok(()), check::check_databases);
        checked.map_err(MappingError::Meaningless)
    }

    /// The instant at which the catalogue was taken, and whether the logs of which the definitions
    /// were read have any; `None` without a catalogue.
    #[must_use]
    pub fn definitions(&self) -> Option<(Timestamp, bool)> {
        let of = self.pgaudit()?;
        of.known_catalogue.as_ref().map(|catalogue| (catalogue.taken, of.changes.logged))
    }

    /// The changes that the definitions in the logs make, as a text. Equal changes give equal texts, and
    /// no changes give an empty one.
    #[must_use]
    pub fn shown_changes(&self) -> String {
        let changes = self.pgaudit().map(|of| &of.changes.all).filter(|all| !all.is_empty());
        changes.map(|all| format!("{all:?}")).unwrap_or_default()
    }

    /// The roles whose reads the logs leave out, as the catalogue has it.
    #[must_use]
    pub fn unaudited_roles(&self) -> &[String] {
        let catalogue = self.pgaudit().and_then(|of| of.known_catalogue.as_ref());
        catalogue.map(|catalogue| catalogue.unaudited.as_slice()).unwrap_or_default()
    }

    /// The tables of the mapping that no line of the logs names of which the definitions were read. None
    /// with a catalogue, which has all tables of the mapping.
    #[must_use]
    pub fn unnamed_tables(&self) -> Vec<String> {
        let of = self.pgaudit().filter(|of| of.known_catalogue.is_none());
        let unnamed = of.and_then(|of| of.unnamed.as_ref());
        unnamed.map(UnnamedTables::names).unwrap_or_default()
    }

    /// The name in these logs of which a table of the mapping is a misspelling, as far as can be told: they
    /// name none of the tables.
    #[must_use]
    pub fn misspelt(&self) -> Option<&str> {
        let of = self.pgaudit().filter(|of| of.known_catalogue.is_none())?;
        of.unnamed.as_ref()?.misspelt()
    }

    pub(crate) const fn pgaudit(&self) -> Option<&Pgaudit> {
        match self {
            Self::PgauditCsv(of) | Self::PgauditJson(of) | Self::PgauditStderr(of) => Some(of),
            _ => None,
        }
    }

    pub(crate) const fn pgaudit_mut(&mut self) -> Option<&mut Pgaudit> {
        match self {
            Self::PgauditCsv(of) | Self::PgauditJson(of) | Self::PgauditStderr(of) => Some(of),
            _ => None,
        }
    }

    /// The hosts that the log covers. A web server's log covers the server; the log of a database
    /// or a cloud covers every client that appears in it.
    #[must_use]
    pub fn source(&self) -> Source {
        let (server, covers, service, database) = match self {
            Self::PgauditCsv(of) | Self::PgauditJson(of) | Self::PgauditStderr(of) => {
                (of.server.as_deref(), &of.covers, true, true)
            }
            Self::JsonLines(of) => (of.server.as_deref(), &of.covers, true, false),
            Self::Cloudtrail(of) => (None, &of.covers, true, false),
            Self::Web(of) => (Some(of.server.as_str()), &of.covers, false, false),
            Self::W3c(of) => (Some(of.server.as_str()), &of.covers, false, false),
            Self::MariadbAudit(of) => (of.server.as_deref(), &of.covers, true, true),
        };
        let named = covers.iter().filter(|host| *host != "*");
        Source {
            server: server.map(CallerName::from_foreign),
            clients: service || covers.iter().any(|host| host == "*"),
            covers: named.map(|host| CallerName::from_foreign(host)).collect(),
            database,
        }
    }
}

/// A time zone by its name, such as `Europe/Berlin`.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Zone(pub TimeZone);

impl TryFrom<String> for Zone {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        TimeZone::get(&name).map(Self).map_err(|_| format!("{name} is no time zone"))
    }
}

/// A place in a JSON object: a JSON pointer (RFC 6901).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Place(String);

impl TryFrom<String> for Place {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let whole = text.starts_with('/');
        whole.then_some(Self(text.clone())).ok_or(format!("{text}: a place begins with /"))
    }
}

impl Place {
    /// The value at this place.
    pub fn of<'a>(&self, event: &'a serde_json::Value) -> Option<&'a serde_json::Value> {
        event.pointer(&self.0)
    }

    /// The place as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The mapping of JSON objects. An event that fits no rule counts as everybody's, in every field.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Events {
    /// The place of the time: RFC 3339, or seconds, milliseconds, microseconds or nanoseconds since
    /// 1970.
    pub time: Place,
    /// The place of the client's address.
    pub from: Place,
    /// The place of the user, API key or server. Without it, `server` is meant.
    #[serde(rename = "as")]
    pub user: Option<Place>,
    /// The host that writes the log.
    pub server: Option<String>,
    /// Hosts that the log covers besides the clients that appear in it.
    #[serde(default)]
    pub covers: Vec<String>,
    /// The rules for events. The first rule that fits applies.
    #[serde(rename = "event", default)]
    pub rules: Vec<EventRule>,
    /// The place of a request's target (path and query). Rules for paths then apply to an event
    /// that no rule for events fits.
    pub target: Option<Place>,
    /// The place of a request's method.
    pub method: Option<Place>,
    /// The place of an answer's status.
    pub status: Option<Place>,
    /// The rules for paths. The first rule that fits applies.
    #[serde(rename = "path", default)]
    pub paths: Vec<PathRule>,
    /// Paths that give out nothing about customers.
    #[serde(default)]
    pub harmless: Vec<Pattern>,
}

/// The mapping of `CloudTrail` records. A record that fits no rule counts as everybody's.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloudTrail {
    /// The rules for events. The first rule that fits applies.
    #[serde(rename = "event", default)]
    pub rules: Vec<EventRule>,
    /// Assumed roles that count as one name, such as `arn:aws:sts::1:assumed-role/web/*`.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Hosts that the log covers besides the clients that appear in it.
    #[serde(default)]
    pub covers: Vec<String>,
}

/// The rule for an event.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EventRule {
    /// The value that each place must have for the rule to fit.
    pub when: BTreeMap<Place, String>,
    /// The place of the customer's key or of an array of keys. Without this and `email`, the event
    /// touches everybody.
    pub customer: Option<Place>,
    /// The place of the customer's e-mail address.
    pub email: Option<Place>,
    /// The form of the value at `customer`, such as `profiles/{customer}.json`. Without a pattern,
    /// the whole value is the key.
    pub pattern: Option<ValuePattern>,
    /// The fields that the event touches.
    pub fields: Vec<Field>,
    /// The direction of the data.
    pub level: Direction,
    /// Whether the event touches no customer's data.
    pub harmless: bool,
}

/// The mapping of a web server's requests. A request that fits no rule counts as everybody's.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Web {
    /// The name of the server that wrote the log.
    pub server: String,
    /// Further hosts that the log covers; `*` for every client that appears in it.
    #[serde(default)]
    pub covers: Vec<String>,
    /// nginx's `log_format` or Apache's `LogFormat`, as in the configuration. Without it, the
    /// combined or the common log format.
    #[serde(default)]
    pub log_format: LogFormat,
    /// The time zone of times without an offset.
    pub time_zone: Option<Zone>,
    /// The rules for paths. The first rule that fits applies.
    #[serde(rename = "path", default)]
    pub paths: Vec<PathRule>,
    /// Paths that give out nothing about customers.
    #[serde(default)]
    pub harmless: Vec<Pattern>,
}

/// The mapping of a log in the W3C's extended format. A request that fits no rule counts as
/// everybody's.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct W3c {
    /// The name of the server that wrote the log.
    pub server: String,
    /// Further hosts that the log covers; `*` for every client that appears in it.
    #[serde(default)]
    pub covers: Vec<String>,
    /// The time zone of the log. IIS and `CloudFront` log in UTC.
    pub time_zone: Option<Zone>,
    /// The rules for paths. The first rule that fits applies.
    #[serde(rename = "path", default)]
    pub paths: Vec<PathRule>,
    /// Paths that give out nothing about customers.
    #[serde(default)]
    pub harmless: Vec<Pattern>,
}

/// The mapping of `MariaDB`'s `server_audit`. Each statement counts as everybody's.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MariadbAudit {
    /// The time zone of the log.
    pub time_zone: Zone,
    /// The host of the database.
    pub server: Option<String>,
    /// Hosts that the log covers besides the clients that appear in it.
    #[serde(default)]
    pub covers: Vec<String>,
    /// The fields that the database holds.
    pub fields: Vec<Field>,
}

/// The rule for a path that reads or writes customers' data.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PathRule {
    /// The pattern of the path, such as `/customers/{customer}/profile` or `/find?email={email}`.
    /// `*` stands for one segment, and `**` at the end for any number. Without a placeholder for
    /// the customer, a request touches everybody.
    pub pattern: Pattern,
    /// The methods to which the rule applies; all methods if empty. A rule for `GET` applies to
    /// `HEAD` too.
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
