//! The relations, columns and functions of which an operator said what they hold.

use std::collections::HashMap;

use cofferdam_core::{Field, FieldSet};

use super::functions;
use super::meanings::{Meaning, Meanings};
use super::names::{Name, Part, Pattern};
use super::through::Through;
use super::views::View;
use crate::catalogue::{Catalogue, Column as Described, Qualified};
use crate::mapping::{Pgaudit, Table};

/// A mapping, with its names parsed, together with the catalogue that it names and the definitions
/// of the logs.
#[derive(Debug)]
pub struct Known {
    pub tables: Vec<KnownTable>,
    others: Vec<Pattern>,
    functions: Vec<Pattern>,
    meanings: Meanings,
}

/// A table with customers' data.
#[derive(Debug)]
pub struct KnownTable {
    /// Its name; `None` if no name means it.
    name: Option<Pattern>,
    /// The column with the customer's key; `None` if it is in another table.
    key: Option<Part>,
    /// The way to the customer's key in another table.
    pub through: Option<Through>,
    email: Option<Part>,
    fields: Vec<(Part, Field)>,
    harmless: Vec<Part>,
    /// All fields of the table.
    pub all: FieldSet,
    /// Its columns, if a catalogue has the table. Those that are generated have the fields of the
    /// columns from which they are.
    columns: Option<HashMap<String, Option<FieldSet>>>,
    /// Whether a key equals no other key. A key without regard to case does.
    pub has_exact_key: bool,
    /// Whether the catalogue shows that no two rows have the same key, and no log changes that.
    pub has_unique_key: bool,
}

/// A relation, as far as the mapping and the catalogue know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// The table with this place in [`Known::tables`], or a partition of it.
    Table(usize),
    /// A relation without customers' data.
    Harmless,
    /// The view with this place among the views.
    View(usize),
    /// One of several relations with this name.
    Ambiguous,
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
        let mut known = Self {
            tables: mapping.tables.iter().map(KnownTable::new).collect(),
            others: patterns(&mapping.other_relations),
            functions: patterns(&mapping.other_functions),
            meanings: Meanings::default(),
        };
        if let Some(catalogue) = &mapping.known_catalogue {
            known.tables.iter_mut().for_each(|table| table.describe(catalogue));
        }
        known.meanings = Meanings::new(&known, mapping);
        if let Some(catalogue) = &mapping.known_catalogue {
            let Self { tables, meanings, .. } = &mut known;
            for table in tables {
                table.prove(catalogue, meanings);
            }
        }
        super::views::understand(&mut known);
        known
    }

    /// What is known in another database of the same server: no name there means a table of the
    /// mapping, and any may hold a copy of one.
    pub fn elsewhere(mapping: &Pgaudit) -> Self {
        let table = |of| KnownTable { name: None, ..KnownTable::new(of) };
        Self {
            tables: mapping.tables.iter().map(table).collect(),
            others: Vec::new(),
            functions: Vec::new(),
            meanings: Meanings::default(),
        }
    }

    pub fn relation(&self, name: &Name) -> Relation {
        match self.meanings.of(name) {
            Some(Meaning { relation, .. }) => relation,
            None => self.mapped(name),
        }
    }

    /// The relation as the mapping alone knows it.
    pub fn mapped(&self, name: &Name) -> Relation {
        if let Some(table) = self.tables.iter().position(|table| table.fits(name)) {
            return Relation::Table(table);
        }
        if self.others.iter().any(|other| other.fits(name)) || is_of_the_system(name) {
            return Relation::Harmless;
        }
        Relation::Unknown
    }

    /// Whether a name surely means this relation of the catalogue.
    pub fn is_surely(&self, name: &Name, relation: &Qualified) -> bool {
        self.meanings.is_surely(name, relation)
    }

    /// The columns that a relation without customers' data surely has.
    pub fn columns(&self, name: &Name) -> Vec<String> {
        self.meanings.of(name).map(|meaning| meaning.columns.to_vec()).unwrap_or_default()
    }

    pub fn view(&self, view: usize) -> &View {
        &self.meanings.views[view]
    }

    pub const fn meanings_mut(&mut self) -> &mut Meanings {
        &mut self.meanings
    }

    /// Whether a function, by its name, neither reads tables nor files.
    pub fn is_harmless(&self, function: &Name) -> bool {
        if self.meanings.has_other_code(function) {
            return false;
        }
        let of_the_system = function.schema.as_deref().is_none_or(|schema| schema == "pg_catalog");
        let listed = self.functions.iter().any(|other| other.fits(function));
        let hidden = function.schema.is_none() && self.meanings.has_function(&function.bare);
        (of_the_system && functions::is_harmless(&function.bare) && !hidden) || listed
    }
}

impl KnownTable {
    fn new(table: &Table) -> Self {
        Self {
            name: Some(Pattern::parse(&table.name)),
            key: table.through.is_empty().then(|| Part::column(&table.key)),
            through: Through::of(table),
            email: table.email.as_deref().map(Part::column),
            fields: table.fields.iter().map(|(name, f)| (Part::column(name), *f)).collect(),
            harmless: table.harmless.iter().map(|name| Part::column(name)).collect(),
            all: table.fields.values().copied().collect(),
            columns: None,
            has_exact_key: true,
            has_unique_key: false,
        }
    }

    /// Takes the columns of the table from a catalogue.
    fn describe(&mut self, catalogue: &Catalogue) {
        let of = |name: &Qualified| self.fits(&Name::from(name));
        let Some(relation) = catalogue.relations.iter().find(|relation| of(&relation.name)) else {
            return;
        };
        let fields = |column: &Described| {
            let sources = column.generated_from.as_ref()?;
            let listed = |of: &String| self.column(of) != Column::Unlisted;
            let fields = || sources.iter().map(|of| self.fields_of(of));
            sources.iter().all(listed).then(|| fields().fold(FieldSet::EMPTY, FieldSet::union))
        };
        let columns = relation.columns.iter().map(|of| (of.name.clone(), fields(of))).collect();
        let inexact = |of: &Described| self.is_key(&of.name) && !of.is_exact();
        self.has_exact_key = !relation.columns.iter().any(inexact);
        self.columns = Some(columns);
    }

    /// Proves from a catalogue that the key is unique, or the way to the key.
    fn prove(&mut self, catalogue: &Catalogue, meanings: &Meanings) {
        let own = catalogue.relations.iter().find(|of| self.fits(&Name::from(&of.name)));
        let Some(own) = own else { return };
        let key = own.columns.iter().find(|of| self.is_key(&of.name));
        self.has_unique_key = key.is_some_and(|key| own.is_unique(&key.name, catalogue))
            && !meanings.has_lost_keys(&own.name);
        if let Some(through) = &mut self.through {
            // Without a proof, the rows are everybody's.
            let _ = through.prove(own, catalogue);
            through.doubt(meanings);
        }
    }

    fn fits(&self, name: &Name) -> bool {
        self.name.as_ref().is_some_and(|own| own.fits(name))
    }

    pub fn column(&self, name: &str) -> Column {
        if let Some((_, field)) = self.fields.iter().find(|(part, _)| part.fits(name)) {
            Column::Field(*field)
        } else if self.is_key(name)
            || self.is_first_step(name)
            || self.harmless.iter().any(|part| part.fits(name))
        {
            Column::Harmless
        } else {
            Column::Unlisted
        }
    }

    /// Whether the table surely has a column.
    pub fn has(&self, column: &str) -> bool {
        let described = self.columns.as_ref().is_some_and(|columns| columns.contains_key(column));
        described || self.column(column) != Column::Unlisted
    }

    /// The fields that a column stands for.
    pub fn fields_of(&self, column: &str) -> FieldSet {
        match self.column(column) {
            Column::Field(field) => FieldSet::EMPTY.with(field),
            Column::Harmless => FieldSet::EMPTY,
            Column::Unlisted => {
                let described = self.columns.as_ref().and_then(|columns| columns.get(column));
                described.copied().flatten().unwrap_or(self.all)
            }
        }
    }

    pub fn is_key(&self, column: &str) -> bool {
        self.key.as_ref().is_some_and(|key| key.fits(column))
    }

    /// Whether a column of the row with the customer's key is that key.
    pub fn is_owners_key(&self, column: &str) -> bool {
        self.through.as_ref().map_or_else(|| self.is_key(column), |through| through.is_key(column))
    }

    /// Whether a column names the row of another table that the customer's key is behind.
    fn is_first_step(&self, column: &str) -> bool {
        self.through.as_ref().is_some_and(|through| through.starts_at(column))
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
