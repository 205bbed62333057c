//! The relations, columns and functions of which an operator said what they hold.

use cofferdam_core::{Field, FieldSet};

use super::functions;
use super::names::{Name, Part, Pattern};
use crate::mapping::{Pgaudit, Table};

/// A mapping, with its names parsed.
#[derive(Debug)]
pub struct Known {
    pub tables: Vec<KnownTable>,
    others: Vec<Pattern>,
    functions: Vec<Pattern>,
}

/// A table with customers' data.
#[derive(Debug)]
pub struct KnownTable {
    name: Pattern,
    key: Part,
    email: Option<Part>,
    fields: Vec<(Part, Field)>,
    harmless: Vec<Part>,
    /// All fields of the table.
    pub all: FieldSet,
}

/// A relation, as far as the mapping knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// The table with this place in [`Known::tables`].
    Table(usize),
    /// A relation without customers' data.
    Harmless,
    /// Any other relation: it may be a view, a copy or a partition.
    Unknown,
}

/// A column of a table with customers' data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// A column whose content is a field.
    Field(Field),
    /// A column that tells nothing about a person.
    Harmless,
    /// A column that the mapping does not list. It counts as all fields.
    Unlisted,
}

impl Known {
    pub fn new(mapping: &Pgaudit) -> Self {
        let patterns = |names: &[String]| names.iter().map(|name| Pattern::parse(name)).collect();
        Self {
            tables: mapping.tables.iter().map(KnownTable::new).collect(),
            others: patterns(&mapping.other_relations),
            functions: patterns(&mapping.other_functions),
        }
    }

    pub fn relation(&self, name: &Name) -> Relation {
        if let Some(table) = self.tables.iter().position(|table| table.name.fits(name)) {
            return Relation::Table(table);
        }
        if self.others.iter().any(|other| other.fits(name)) || is_of_the_system(name) {
            return Relation::Harmless;
        }
        Relation::Unknown
    }

    /// Whether a function, by its name, neither reads tables nor files.
    pub fn is_harmless(&self, function: &Name) -> bool {
        let of_the_system = function.schema.as_deref().is_none_or(|schema| schema == "pg_catalog");
        (of_the_system && functions::is_harmless(&function.bare))
            || self.functions.iter().any(|other| other.fits(function))
    }
}

impl KnownTable {
    fn new(table: &Table) -> Self {
        Self {
            name: Pattern::parse(&table.name),
            key: Part::column(&table.key),
            email: table.email.as_deref().map(Part::column),
            fields: table.fields.iter().map(|(name, f)| (Part::column(name), *f)).collect(),
            harmless: table.harmless.iter().map(|name| Part::column(name)).collect(),
            all: table.fields.values().copied().collect(),
        }
    }

    pub fn column(&self, name: &str) -> Column {
        if let Some((_, field)) = self.fields.iter().find(|(part, _)| part.fits(name)) {
            Column::Field(*field)
        } else if self.is_key(name) || self.harmless.iter().any(|part| part.fits(name)) {
            Column::Harmless
        } else {
            Column::Unlisted
        }
    }

    /// The fields that a column stands for.
    pub fn fields_of(&self, column: &str) -> FieldSet {
        match self.column(column) {
            Column::Field(field) => FieldSet::EMPTY.with(field),
            Column::Harmless => FieldSet::EMPTY,
            Column::Unlisted => self.all,
        }
    }

    pub fn is_key(&self, column: &str) -> bool {
        self.key.fits(column)
    }

    pub fn is_email(&self, column: &str) -> bool {
        self.email.as_ref().is_some_and(|email| email.fits(column))
    }
}

/// Relations of `pg_catalog` that describe tables, not their rows. `pg_stats` holds values of
/// columns, and `pg_stat_activity` texts of statements, so these are not among them.
const CATALOGUES: &[&str] = &[
    "pg_aggregate",
    "pg_am",
    "pg_amop",
    "pg_amproc",
    "pg_attrdef",
    "pg_attribute",
    "pg_auth_members",
    "pg_available_extensions",
    "pg_cast",
    "pg_class",
    "pg_collation",
    "pg_constraint",
    "pg_conversion",
    "pg_database",
    "pg_depend",
    "pg_description",
    "pg_enum",
    "pg_event_trigger",
    "pg_extension",
    "pg_foreign_table",
    "pg_index",
    "pg_indexes",
    "pg_inherits",
    "pg_language",
    "pg_locks",
    "pg_namespace",
    "pg_opclass",
    "pg_operator",
    "pg_opfamily",
    "pg_partitioned_table",
    "pg_policies",
    "pg_policy",
    "pg_proc",
    "pg_publication",
    "pg_range",
    "pg_rewrite",
    "pg_roles",
    "pg_sequence",
    "pg_sequences",
    "pg_settings",
    "pg_shdescription",
    "pg_tables",
    "pg_tablespace",
    "pg_trigger",
    "pg_type",
    "pg_user",
    "pg_views",
];

/// Relations of `information_schema` that describe tables.
const SCHEMATA: &[&str] = &[
    "columns",
    "key_column_usage",
    "routines",
    "schemata",
    "table_constraints",
    "tables",
    "views",
];

/// Whether a relation belongs to PostgreSQL and describes tables, not their rows.
fn is_of_the_system(name: &Name) -> bool {
    match name.schema.as_deref() {
        Some("information_schema") => SCHEMATA.contains(&name.bare.as_str()),
        Some("pg_catalog") => CATALOGUES.contains(&name.bare.as_str()),
        _ => false,
    }
}
