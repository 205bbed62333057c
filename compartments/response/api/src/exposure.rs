//! Exposure: the data that the fallen hosts got, or could have got.

use std::collections::BTreeMap;

use cofferdam_core::{
    Call, CallerName, CustomerNumber, Domain, Field, FieldSet, ProblemType, Record, Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema::map_by;
use crate::{
    AccessLog, Doubt, FallenHost, INCIDENT_CLOSED, IncidentId, NOT_SCOPED, TABLE_EMPTY, Unresolved,
};

/// The level of a field's exposure.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// `keys` released it to a fallen host, or that can't be ruled out.
    Read,
    /// Somebody typed it at a fallen host, or brought it there.
    Presented,
    /// A grant of a fallen host covered it, and nothing shows that it was read or presented.
    Reachable,
    /// A fallen host asked for it and learnt that there was nothing: the field was unset, or there
    /// was no such record. Nothing was read. Kept pages hold the place of a level in this list, so
    /// it stands last.
    KnownUnset,
}

impl Level {
    /// Every level, the worst first.
    pub const ALL: [Self; 4] = [Self::Read, Self::Presented, Self::KnownUnset, Self::Reachable];

    /// The name used in routes and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Presented => "presented",
            Self::Reachable => "reachable",
            Self::KnownUnset => "known_unset",
        }
    }
}

/// Computes the exposure from the logs, and keeps it with the incident.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScopeIncident {
    /// The incident to scope.
    pub incident: IncidentId,
    /// Whether to read every entry as well as the indexes, and count both. This is slower; a
    /// disagreement becomes a doubt.
    #[serde(default)]
    pub from_log: bool,
}

impl Call for ScopeIncident {
    const PATH: &'static str = "/v1/incidents/scope";
    const PROBLEMS: &'static [ProblemType] = &[INCIDENT_CLOSED, TABLE_EMPTY];
    type Answer = Exposure;
}

/// The exposure in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Exposure {
    /// The incident that was scoped.
    pub incident: IncidentId,
    /// The instant at which the exposure was computed.
    pub computed: Timestamp,
    /// The end of the window that it covers.
    pub until: Timestamp,
    /// The number of people with a field read, with a field presented, with a field known to be
    /// unset, and with fields in reach. Each person counts once, at the worst level.
    pub people: LevelCounts,
    /// The number of people who count as read because of a doubt alone: no log shows it.
    pub assumed: u64,
    /// The number of people with a field read of whom everything was read while they were signed in:
    /// `keys` had the proof each time. They are among the read.
    #[serde(default)]
    pub while_signed_in: u64,
    /// The number of people at each level, field by field. Each person counts once, at the worst
    /// level.
    #[schemars(schema_with = "map_by::<Field, LevelCounts>")]
    pub fields: BTreeMap<Field, LevelCounts>,
    /// The same of the records of the brought table, if the incident is about `accounts` and
    /// `response` fell, which seals them. Their numbers are not those of customers.
    #[serde(default)]
    #[schemars(schema_with = "map_by::<Field, LevelCounts>")]
    pub brought: BTreeMap<Field, LevelCounts>,
    /// People with a field read or presented, by country and region as `US-KY` or `DE`; `unknown`
    /// for people without a country.
    pub jurisdictions: BTreeMap<String, u64>,
    /// The same people by language.
    pub languages: BTreeMap<String, u64>,
    /// The number of the same people who are known to be minors.
    pub minors: u64,
    /// The number of the same people whom no e-mail reached.
    pub undeliverable: u64,
    /// The number of all customers of `accounts`, or of all people of the brought table.
    pub customers: u64,
    /// The data that each fallen host gave up because of its kind.
    pub given_up: Vec<GivenUp>,
    /// The compartments of which the fallen hosts got nothing.
    pub untouched: Vec<Untouched>,
    /// The release logs from which the exposure was computed.
    pub logs: Vec<LogProof>,
    /// The access logs from which it was computed, if the incident is about the brought table.
    #[serde(default)]
    pub access_logs: Vec<AccessLog>,
    /// Accesses of fallen hosts that count as everybody's, at most a thousand.
    #[serde(default)]
    pub unresolved: Vec<Unresolved>,
    /// The doubts of the exposure.
    pub doubts: Vec<Doubt>,
}

impl Exposure {
    /// The number of people with a field read or presented.
    #[must_use]
    pub const fn exposed(&self) -> u64 {
        self.people.read + self.people.presented
    }
}

/// The people exposed, and what became of them: the one place from which notice, plan, report and
/// bag take their numbers. `told`, `session_only` and `gone` add up to `exposed`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExposedPeople {
    /// The number of people with a field read or presented.
    pub exposed: u64,
    /// Those who are there, and whose letter names a field.
    pub told: u64,
    /// Those who are there, and of whom a session alone was presented. No letter names it.
    pub session_only: u64,
    /// Those who are there no longer: they were erased since, or a restored backup has not got them.
    pub gone: u64,
    /// Those who are there and have no e-mail address. They are among the told and session-only.
    pub without_address: u64,
    /// The rows in the ledger of the customers' letter that name a field, once it is planned.
    pub planned: Option<u64>,
}

/// The data that a fallen host gave up because of its kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GivenUp {
    /// The host, with its kind.
    pub host: FallenHost,
    /// A sentence for people.
    pub what: String,
}

/// The number of people at each level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LevelCounts {
    /// People with a read field.
    pub read: u64,
    /// People with a presented field.
    pub presented: u64,
    /// People with a field that a fallen host knows to be unset. Nothing was read.
    #[serde(default)]
    pub known_unset: u64,
    /// People with a field in reach.
    pub reachable: u64,
}

/// A compartment of which the fallen hosts got nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Untouched {
    /// The compartment's domain.
    pub domain: Domain,
    /// The number of records that the compartment holds.
    pub records: u64,
    /// The number of records released to the fallen hosts in the window: always 0.
    pub released: u64,
    /// Whether a fallen host had a grant to read there.
    pub granted: bool,
}

/// The part of a release log that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogProof {
    /// The size of the part, in entries.
    pub size: u64,
    /// The root hash, base64, as in the checkpoint.
    pub root: String,
    /// The checkpoint, a signed note.
    pub checkpoint: String,
    /// The last checkpoint that `response` cosigned, with both signatures.
    pub cosigned: Option<String>,
    /// The sightings by the clock of `response` that decide which entries lie in the window; `None`
    /// if the exposure is older than them.
    #[serde(default)]
    pub sightings: Option<Sightings>,
}

/// A size of a log as `response` saw it, by its own clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sighting {
    /// The number of entries.
    pub size: u64,
    /// The instant at which the log was first seen with so many entries. Each of them was written
    /// before.
    pub first: Timestamp,
    /// The instant at which it was last seen with no more. Each further entry was written after.
    pub last: Timestamp,
}

/// The sightings of a log that decide which of its entries lie in a window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sightings {
    /// The first sighting of all. Of the entries that it covers, only `keys` knows the instants.
    pub earliest: Option<Sighting>,
    /// The largest size that was seen before the window begins. The entries up to it lie before.
    pub before: Option<Sighting>,
    /// The smallest size that was still seen after the window's end. The entries from it on lie
    /// after.
    pub after: Option<Sighting>,
}

/// Reads the records that are exposed in one field at one level, as a bitmap.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadExposure {
    /// The incident, which must have been scoped.
    pub incident: IncidentId,
    /// The level of exposure.
    pub level: Level,
    /// The exposed field.
    pub field: Field,
}

/// A set of records, as a bitmap.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct RecordBitmap {
    /// A Roaring bitmap in the portable serialisation.
    pub roaring: Vec<u8>,
}

impl Call for ReadExposure {
    const PATH: &'static str = "/v1/exposures/read";
    const PROBLEMS: &'static [ProblemType] = &[NOT_SCOPED];
    const COMPACT: bool = true;
    type Answer = RecordBitmap;
}

/// Reads the exposure of one person: "was I affected, by what, and when?"
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadPerson {
    /// The incident, which must have been scoped.
    pub incident: IncidentId,
    /// The person's record.
    pub record: Record,
}

impl Call for ReadPerson {
    const PATH: &'static str = "/v1/persons/read";
    const PROBLEMS: &'static [ProblemType] = &[NOT_SCOPED];
    type Answer = PersonExposure;
}

/// The exposure of one person's data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PersonExposure {
    /// The person's record.
    pub record: Record,
    /// The number by which the shop's app servers know the customer; `None` for a person of the
    /// brought table, or if `accounts` does not answer.
    pub number: Option<CustomerNumber>,
    /// Whether the customer exists now.
    pub exists: bool,
    /// Whether everything that was read of the customer was read while the customer was signed in.
    /// `false` as well if nothing was read.
    #[serde(default)]
    pub while_signed_in: bool,
    /// Each exposed field at its worst level.
    #[schemars(schema_with = "map_by::<Field, Level>")]
    pub fields: BTreeMap<Field, Level>,
    /// The events that the logs show, by the hour, oldest first.
    pub events: Vec<PersonEvent>,
    /// The first lines of brought access logs that name the person, oldest first. Lines that count for
    /// everybody name nobody: the exposure lists them.
    #[serde(default)]
    pub lines: Vec<PersonLine>,
    /// The number of all such lines; `None` if this instance of `response` does not have the logs, and
    /// for customers of accounts.
    #[serde(default)]
    pub line_count: Option<u64>,
}

/// A line of a brought access log that names a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PersonLine {
    /// The access log's name.
    pub log: String,
    /// The line in the log's file, from 1 on.
    #[schemars(range(min = 1))]
    pub line: u64,
    /// The instant of the access.
    pub at: Timestamp,
    /// The fields that were touched.
    pub fields: FieldSet,
}

/// An event: the fields of a person that one caller touched within an hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PersonEvent {
    /// The earliest instant of the event.
    pub from: Timestamp,
    /// The latest instant of the event.
    pub to: Timestamp,
    /// The caller that `keys` or the other system served.
    pub caller: CallerName,
    /// The compartment through which it was served.
    pub via: CallerName,
    /// The level of exposure that follows from the event.
    pub level: Level,
    /// Whether the fields were read while the customer was signed in: `keys` had the proof.
    #[serde(default)]
    pub signed_in: bool,
    /// The fields that were touched.
    pub fields: FieldSet,
}
