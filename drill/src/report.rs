//! The result of a drill: one JSON object.

use std::collections::BTreeMap;

use cofferdam_core::Field;
use schemars::JsonSchema;
use serde::Serialize;

use crate::flat::FlatReport;

/// The result of a drill.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct DrillReport {
    /// Customers imported. Decoys come on top.
    pub customers: u64,
    /// The seed that repeats the drill.
    pub seed: u64,
    /// The loot of the thief.
    pub loot: Loot,
    /// The exposure, which the response found from the logs alone.
    pub exposure: ExposureReport,
    /// Cards.
    pub cards: CardsReport,
    /// Alarms, by kind and caller.
    pub alarms: Vec<AlarmReport>,
    /// The void order.
    pub void: VoidReport,
    /// Letters.
    pub letters: LettersReport,
    /// The notice.
    pub notice: NoticeReport,
    /// The same theft in a conventional shop, if the drill ran it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flat: Option<FlatReport>,
    /// The steps with their times.
    pub steps: Vec<Step>,
    /// The checks.
    pub checks: Vec<Check>,
    /// Whether every check held.
    pub ok: bool,
    /// How long the drill took.
    pub seconds: f64,
}

/// The loot of the thief.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Loot {
    /// Records of which it got a field, decoys among them.
    pub records: u64,
    /// Fields in all, of customers alone.
    pub fields: u64,
    /// Attempts that must be refused, and how each ended.
    pub attempts: BTreeMap<&'static str, String>,
}

/// The exposure in people, each counted at the worst level.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct ExposureReport {
    /// People of whom a field was read.
    pub read: u64,
    /// People who typed a password at the fallen host.
    pub presented: u64,
    /// People within reach.
    pub reachable: u64,
    /// Fields of records that were taken and are not in the exposure.
    pub missed: u64,
    /// Fields of records that are in the exposure and were not taken.
    pub wrong: u64,
    /// Customers of whom each field was read.
    pub fields: BTreeMap<Field, u64>,
}

/// Cards.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct CardsReport {
    /// Cards that payments holds.
    pub stored: u64,
    /// Cards that the log says were released to the fallen host.
    pub released_to_fallen: u64,
}

/// An alarm.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AlarmReport {
    /// The kind, as `decoy`.
    pub kind: String,
    /// The caller who set it off.
    pub caller: Option<String>,
    /// How often it rang.
    pub count: u64,
}

/// The void order.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct VoidReport {
    /// Customers whose password is void.
    pub customers: u64,
    /// How long it took until the order held.
    pub seconds: f64,
}

/// Letters.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct LettersReport {
    /// Letters to staff that the relay accepted.
    pub staff: u64,
    /// Customers who are to get one.
    pub planned: u64,
    /// Letters to customers that the relay accepted.
    pub accepted: u64,
    /// Customers to whom none came.
    pub missing: u64,
    /// Customers to whom more than one came.
    pub duplicated: u64,
    /// How long sending took, from the first letter to the last.
    pub seconds: f64,
}

/// The notice.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct NoticeReport {
    /// The HTTP status of the page.
    pub status: u16,
    /// The page's URL.
    pub url: String,
}

/// A step with its time.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Step {
    /// The step's name.
    pub name: &'static str,
    /// The outcome in a line.
    pub what: String,
    /// When the step began, in seconds from the start of the drill.
    pub at: f64,
    /// How long it took.
    pub seconds: f64,
}

/// Something that must hold.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Check {
    /// The statement that must hold.
    pub name: String,
    /// Whether it holds.
    pub ok: bool,
    /// The figures behind it.
    pub detail: String,
}
