//! The catalogue of a PostgreSQL database: which relations and functions it has, and how they
//! depend on each other.

mod propose;

use cofferdam_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::sql::names::Part;

pub use propose::{ProposeError, propose};

/// The statements that read the catalogue. Their one row is a [`Catalogue`] as JSON, so that psql
/// can write it too.
pub const QUERY: &str = include_str!("query.sql");

/// The version of the form of [`Catalogue`].
const VERSION: u32 = 1;

/// The catalogue of a database at one instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalogue {
    version: u32,
    /// The instant at which it was read.
    pub taken: Timestamp,
    /// The database's name.
    pub database: String,
    /// The setting of the session that read it, from the database, the role or the server.
    pub search_path: String,
    /// The login roles that may read here, and whose reads pgaudit leaves out. Empty in a catalogue that
    /// was taken before this was asked.
    #[serde(default)]
    pub unaudited: Vec<String>,
    /// The tables, views and sequences of all schemas but PostgreSQL's own.
    pub relations: Vec<Relation>,
    /// The functions of these schemas.
    pub functions: Vec<Function>,
}

/// A table, a view or a sequence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relation {
    /// Its schema and its name, without quotes.
    #[serde(flatten)]
    pub name: Qualified,
    /// Whether it is a table, a view or another kind.
    pub kind: Kind,
    /// Whether policies decide which rows a role sees.
    pub row_security: bool,
    /// Its columns, in their order.
    pub columns: Vec<Column>,
    /// The columns of its primary key; empty without one.
    pub primary_key: Vec<String>,
    /// The columns of each key that no two rows have in common at any time. Empty in a catalogue that was
    /// taken before this was asked.
    #[serde(default)]
    pub unique: Vec<Vec<String>>,
    /// Its foreign keys.
    pub references: Vec<Reference>,
    /// The tables of which it is a partition or an heir.
    pub parents: Vec<Qualified>,
    /// The definition of a view or a materialized view.
    pub query: Option<String>,
    /// The relations that a view or a materialized view reads.
    pub reads: Vec<Qualified>,
}

/// The name of a relation with its schema, without quotes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Qualified {
    /// The schema's name, without quotes.
    pub schema: String,
    /// The relation's own name, without quotes.
    pub name: String,
}

/// The kinds of relations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A table.
    Table,
    /// A table whose rows are in its partitions.
    PartitionedTable,
    /// A view.
    View,
    /// A view that keeps its rows.
    MaterializedView,
    /// A table of another server.
    ForeignTable,
    /// A sequence.
    Sequence,
}

/// A column of a relation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name, without quotes.
    pub name: String,
    /// Its type, or the type of its domain, as PostgreSQL writes it.
    #[serde(rename = "type")]
    pub of_type: String,
    /// Whether two texts are equal only if they have the same bytes.
    pub deterministic: bool,
    /// The columns from which it is generated, if it is, and if no function of the shop does it.
    pub generated_from: Option<Vec<String>>,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// The table that it references.
    #[serde(flatten)]
    pub table: Qualified,
    /// The columns that reference.
    pub from: Vec<String>,
    /// The columns that are referenced, in the same order.
    pub to: Vec<String>,
}

/// A function or a procedure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Function {
    /// Its schema and its name, without quotes.
    #[serde(flatten)]
    pub name: Qualified,
    /// Its language, such as `plpgsql`.
    pub language: String,
    /// Whether it belongs to an extension.
    pub extension: bool,
}

/// A text that is no catalogue.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// It does not have the form that [`QUERY`] gives.
    #[error("it is no catalogue as `access-log catalogue` or psql writes it: {0}")]
    Json(#[from] serde_json::Error),
    /// It has the form of another version.
    #[error("it has version {0}; this program reads version {VERSION}: take it again")]
    Version(u32),
}

impl Catalogue {
    /// Parses what [`QUERY`] gives.
    pub fn parse(text: &str) -> Result<Self, CatalogueError> {
        let catalogue: Self = serde_json::from_str(text)?;
        match catalogue.version {
            VERSION => Ok(catalogue),
            other => Err(CatalogueError::Version(other)),
        }
    }

    /// The relation with a name.
    #[must_use]
    pub fn relation(&self, name: &Qualified) -> Option<&Relation> {
        self.relations.iter().find(|relation| relation.name == *name)
    }
}

impl Relation {
    /// Whether no two rows that a statement reads under this name have the same value in a column. An
    /// heir of a table has rows of its own beside the table's.
    pub(crate) fn is_unique(&self, column: &str, catalogue: &Catalogue) -> bool {
        let within = |of: &Self| of.parents.contains(&self.name);
        let whole = match self.kind {
            Kind::Table => !catalogue.relations.iter().any(within),
            Kind::PartitionedTable => true,
            Kind::View | Kind::MaterializedView | Kind::ForeignTable | Kind::Sequence => false,
        };
        whole && self.unique.iter().any(|columns| columns[..] == [column])
    }

    pub(crate) fn column(&self, name: &Part) -> Option<&Column> {
        self.columns.iter().find(|of| name.fits(&of.name))
    }
}

impl Column {
    /// Whether a value in its one form equals no other value of the column. A text without regard
    /// to case does, and so does a rounded number.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        let exact =
            ["smallint", "integer", "bigint", "numeric", "text", "character varying", "uuid"];
        self.deterministic && exact.contains(&self.of_type.as_str())
    }
}

impl std::fmt::Display for Qualified {
    /// The name as SQL and mappings have it: with quotes where it needs them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", quoted(&self.schema), quoted(&self.name))
    }
}

/// A name as a mapping has it: in double quotes if it is not in small letters.
fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '$';
    if name.chars().all(plain) && !name.is_empty() {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}
