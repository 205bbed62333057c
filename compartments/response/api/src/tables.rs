//! The brought table: the customers of a shop whose accounts do not run on Cofferdam.

use std::collections::{BTreeMap, BTreeSet};

use cofferdam_core::{BroughtPerson, Call, ProblemType, Record};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{TABLE_IMPORT_OVER, TABLE_IN_USE, TABLE_INCOMPLETE};

/// The most people, or accesses, in one call.
pub const MAX_PAGE: usize = 10_000;

/// The number of an import of the table, from 1. A source keeps the number of its last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct TableImportId(pub u32);

/// Begins to import the table from a source. Until the import is finished, scopes doubt the table.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BeginTable {
    /// The file or the table of a database, 1 to 500 bytes. The next import of the same source takes
    /// the place of this one.
    #[schemars(extend("examples" = ["/srv/incident/customers.csv"]))]
    pub source: String,
    /// A source of an earlier import that this one takes the place of, such as the file under the name
    /// that it had before. Nothing of that source is in doubt once this import is finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
}

impl Call for BeginTable {
    const PATH: &'static str = "/v1/tables/begin";
    type Answer = TableImportId;
}

/// Imports a page of the table. A person with a known key is updated. `response` seals names and
/// addresses before it stores them.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportTable {
    /// The import, as it was begun.
    pub import: TableImportId,
    /// One to [`MAX_PAGE`] people.
    #[schemars(length(min = 1, max = MAX_PAGE))]
    pub people: Vec<BroughtPerson>,
}

/// The result of importing a page of the table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TablePage {
    /// The number of people who were new.
    pub created: u64,
    /// The number of people who were updated.
    pub updated: u64,
    /// The places on the page, from 0, of people whose key an earlier page of the import had. They
    /// were not taken.
    pub repeated: Vec<u32>,
}

impl Call for ImportTable {
    const PATH: &'static str = "/v1/tables/import";
    const COMPACT: bool = true;
    const PROBLEMS: &'static [ProblemType] = &[TABLE_IN_USE, TABLE_IMPORT_OVER];
    type Answer = TablePage;
}

/// Finishes an import. From now on, scopes count the people of the table.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FinishTable {
    /// The import, as it was begun.
    pub import: TableImportId,
    /// The number of people whom it brought. It is refused if the table does not have them all.
    pub people: u64,
    /// The number of rows that could not be taken. Each may be a person. The number takes the place
    /// of that of the source's import before.
    pub rejected: u64,
}

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
    /// The number of rows that could not be taken in the last import of each source, if there were
    /// any.
    pub not_taken: BTreeMap<String, u64>,
    /// The sources of which the last import was not finished; an empty one for a table that was brought
    /// before rejects were counted.
    #[serde(default)]
    pub unfinished: BTreeSet<String>,
}

impl Call for FinishTable {
    const PATH: &'static str = "/v1/tables/finish";
    const PROBLEMS: &'static [ProblemType] = &[TABLE_IMPORT_OVER, TABLE_INCOMPLETE];
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
