//! The brought table: the customers of a shop whose accounts do not run on Cofferdam.

use std::collections::BTreeMap;

use cofferdam_core::{BroughtPerson, Call, ProblemType, Record};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::TABLE_IN_USE;

/// The most people, or accesses, in one call.
pub const MAX_PAGE: usize = 10_000;

/// Imports a page of the table. A person with a known key is updated. `response` seals names and
/// addresses before it stores them.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportTable {
    /// One to [`MAX_PAGE`] people.
    #[schemars(length(min = 1, max = MAX_PAGE))]
    pub people: Vec<BroughtPerson>,
}

/// The result of importing a page of the table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TablePage {
    /// The number of people who were new.
    pub created: u64,
    /// The number of people who were updated.
    pub updated: u64,
}

impl Call for ImportTable {
    const PATH: &'static str = "/v1/tables/import";
    const COMPACT: bool = true;
    const PROBLEMS: &'static [ProblemType] = &[TABLE_IN_USE];
    type Answer = TablePage;
}

/// Finishes the import. From now on, scopes count the people of the table.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FinishTable {}

/// Reads the number of people in the table when it was last finished.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadTable {}

/// The people of the table, counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TableCounts {
    /// The number of all people.
    pub people: u64,
    /// The number of people by country and region, as `US-KY` or `DE`; `unknown` for people without
    /// a country.
    pub jurisdictions: BTreeMap<String, u64>,
}

impl Call for FinishTable {
    const PATH: &'static str = "/v1/tables/finish";
    type Answer = TableCounts;
}

impl Call for ReadTable {
    const PATH: &'static str = "/v1/tables/read";
    type Answer = TableCounts;
}

/// Finds a person of the table by the shop's own key.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FindPerson {
    /// The shop's own number or code for the person.
    #[schemars(extend("examples" = ["4711"]))]
    pub key: String,
}

impl Call for FindPerson {
    const PATH: &'static str = "/v1/persons/find";
    /// The record; `None` if nobody has that key.
    type Answer = Option<Record>;
}
