//! The mapping of a database's log.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use cofferdam_core::Field;
use serde::Deserialize;

use super::UnnamedTables;
use crate::catalogue::Catalogue;
use crate::pgaudit::LinePrefix;
use crate::sql::Changes;

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
    /// The database of these names, if the catalogue does not name it. A log may have lines of
    /// several databases.
    pub(super) database: Option<String>,
    /// Databases of the same server without customers' data.
    #[serde(default)]
    pub other_databases: Vec<String>,
    /// The host of the database.
    pub server: Option<String>,
    /// Hosts that the log covers besides the clients that appear in it.
    #[serde(default)]
    pub covers: Vec<String>,
    /// Functions of the shop that give out no customers' data. A statement that calls any other
    /// function than PostgreSQL's own counts for everybody.
    #[serde(default)]
    pub other_functions: Vec<String>,
    /// The file with the catalogue of the database.
    pub catalogue: Option<PathBuf>,
    /// The catalogue, once it was read.
    #[serde(skip)]
    pub known_catalogue: Option<Arc<Catalogue>>,
    /// The changes that the definitions in the logs make.
    #[serde(skip)]
    pub changes: Changes,
    /// The databases of which the logs have statements.
    #[serde(skip)]
    pub seen_databases: BTreeSet<String>,
    /// The tables that no line names, once the logs were read for it.
    #[serde(skip)]
    pub unnamed: Option<UnnamedTables>,
    /// `log_line_prefix`, for lines that are text.
    pub log_line_prefix: Option<LinePrefix>,
}

impl Pgaudit {
    /// The database of the mapping's names; `None` if nothing names it.
    #[must_use]
    pub fn database(&self) -> Option<&str> {
        let catalogue = || self.known_catalogue.as_ref().map(|of| of.database.as_str());
        self.database.as_deref().or_else(catalogue)
    }
}

/// A database table with customers' data.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The name as `schema.name`. A part in double quotes is exact, as in SQL.
    pub name: String,
    /// The column with the customer's key, as the brought table has it; behind `through`, a column of the
    /// last table there.
    pub key: String,
    /// The way from a row to its customer, if the customer's key is in another table.
    #[serde(default)]
    pub through: Vec<Step>,
    /// The column with the e-mail address, if statements may name customers by it.
    pub email: Option<String>,
    /// Columns whose content is a field, of which customers are told if it was read.
    pub fields: BTreeMap<String, Field>,
    /// Columns that tell nothing about a person. A column that is listed nowhere counts as all
    /// fields.
    #[serde(default)]
    pub harmless: Vec<String>,
}

/// A step from a row to the row of another table that it belongs to.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The column that names the row of the other table.
    pub column: String,
    /// The other table, as `schema.name`.
    pub table: String,
    /// The column of the other table that it names.
    pub id: String,
}
