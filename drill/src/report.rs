//! The result of a drill: one JSON object.

use std::collections::BTreeMap;

use cofferdam_core::Field;
use schemars::JsonSchema;
use serde::Serialize;

use crate::flat::FlatReport;

/// The result of a drill.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct DrillReport {
    /// The number of imported customers, without decoys.
    pub customers: u64,
    /// The seed, which repeats the drill.
    pub seed: u64,
    /// Whether app servers see customers only while these are signed in there.
    pub presence: bool,
    /// The data that the thief really got.
    pub loot: Loot,
    /// The exposure, which the response computed from the logs alone.
    pub exposure: ExposureReport,
    /// The cards in `payments`, and their state after the theft.
    pub cards: CardsReport,
    /// The alarms, by kind and caller.
    pub alarms: Vec<AlarmReport>,
    /// The order that voided all passwords.
    pub void: VoidReport,
    /// The letters to staff and customers.
    pub letters: LettersReport,
    /// The public notice, as it was fetched.
    pub notice: NoticeReport,
    /// The same theft in a conventional shop, if the drill ran it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flat: Option<FlatReport>,
    /// The steps with their times.
    pub steps: Vec<Step>,
    /// The checks, each with its result.
    pub checks: Vec<Check>,
    /// Whether every check held.
    pub ok: bool,
    /// The duration of the drill, in seconds.
    pub seconds: f64,
}

/// The data that the thief really got.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Loot {
    /// The number of records of which it got a field, decoys among them.
    pub records: u64,
    /// The number of fields that it got, of customers alone.
    pub fields: u64,
    /// The attempts that must be refused, with the outcome of each.
    pub attempts: BTreeMap<&'static str, String>,
}

/// The exposure in people, each counted at the worst level.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct ExposureReport {
    /// The number of people of whom a field was read.
    pub read: u64,
    /// The number of people who typed a password at the fallen host.
    pub presented: u64,
    /// The number of people of whom the fallen host only knows that a field is unset.
    pub known_unset: u64,
    /// The number of people within reach.
    pub reachable: u64,
    /// The number of fields of records that were taken and are not in the exposure.
    pub missed: u64,
    /// The number of fields of records that are in the exposure and were not taken.
    pub wrong: u64,
    /// The number of customers whose field was read, for each field.
    pub fields: BTreeMap<Field, u64>,
}

/// The cards in `payments`, and their state after the theft.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct CardsReport {
    /// The number of cards in `payments`.
    pub stored: u64,
    /// The number of cards that were released to the fallen host by the log.
    pub released_to_fallen: u64,
}

/// An alarm that rang in the drill.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AlarmReport {
    /// The kind, as `decoy`.
    pub kind: String,
    /// The caller that set it off, if a caller did.
    pub caller: Option<String>,
    /// The number of times that it rang.
    pub count: u64,
}

/// The order that voided all passwords.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct VoidReport {
    /// The number of customers whose password is void.
    pub customers: u64,
    /// The time until the order held, in seconds.
    pub seconds: f64,
}

/// The letters to staff and customers.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct LettersReport {
    /// The number of letters to staff that the relay accepted.
    pub staff: u64,
    /// The number of customers who should get a letter.
    pub planned: u64,
    /// The number of letters to customers that the relay accepted.
    pub accepted: u64,
    /// The number of customers to whom no letter came.
    pub missing: u64,
    /// The number of customers to whom more than one letter came.
    pub duplicated: u64,
    /// The time from the first letter to the last, in seconds.
    pub seconds: f64,
}

/// The public notice, as it was fetched.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct NoticeReport {
    /// The HTTP status of the notice's page.
    pub status: u16,
    /// The URL of the notice's page.
    pub url: String,
}

/// A step with its time.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Step {
    /// The step's name.
    pub name: &'static str,
    /// The outcome of the step, in one line.
    pub what: String,
    /// The beginning of the step, in seconds from the start of the drill.
    pub at: f64,
    /// The duration of the step, in seconds.
    pub seconds: f64,
}

/// A check: a statement that must hold.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Check {
    /// The statement that must hold.
    pub name: String,
    /// Whether the statement holds.
    pub ok: bool,
    /// The figures behind the result.
    pub detail: String,
}
