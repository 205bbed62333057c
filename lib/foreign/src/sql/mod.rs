//! Finds the customers, and their fields, that a statement could have touched. Only statements of
//! simple forms are interpreted; any other counts for everybody.

mod columns;
mod condition;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow;

use cofferdam_core::{Field, FieldSet, Operation, Personal, Whose};
use sqlparser::ast::{
    self, CopySource, FromTable, ObjectName, Select, TableFactor, TableObject, TableWithJoins,
    Visit, Visitor,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use crate::mapping::{Pgaudit, Table};
use columns::{Columns, name_of};
use condition::Condition;

/// A statement in a line of pgaudit.
#[derive(Debug, Clone)]
pub struct Statement<'a> {
    /// The class: `READ`, `WRITE`, `FUNCTION`, `DDL` and others.
    pub class: &'a str,
    /// The command: `SELECT`, `PREPARE` and others.
    pub command: &'a str,
    /// The table of the statement that the line is about, such as `public.customer`; `None` if
    /// `pgaudit.log_relation` is off.
    pub object: Option<&'a str>,
    /// The text of the statement; empty if it was not logged.
    pub text: &'a str,
    /// The parameters, `$1` first; `None` if they were not logged.
    pub parameters: Option<Vec<String>>,
}

/// The customers' data that a statement touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// [`Operation::Release`] for data that went out, [`Operation::Seal`] for data that came in.
    pub operation: Operation,
    /// The fields that the statement touched.
    pub fields: FieldSet,
    /// The customers whose data the statement touched.
    pub whose: Whose,
}

/// Finds the customers' data that a statement touched; empty if it touched none.
pub fn resolve(mapping: &Pgaudit, statement: &Statement<'_>) -> Vec<Found> {
    // Preparing a statement reads no data; running it does.
    if !["READ", "WRITE", "FUNCTION", "DDL"].contains(&statement.class)
        || statement.command == "PREPARE"
    {
        return Vec::new();
    }
    let about = |table: &&Table| statement.object.is_none_or(|name| same_name(&table.name, name));
    let tables: Vec<&Table> = mapping.tables.iter().filter(about).collect();
    let all = |why: &str| tables.iter().map(|table| whole_table(table, why)).collect();
    let Some(parsed) = Parsed::parse_all(statement.text) else {
        // pgaudit logs what a function reads in separate lines.
        let reads_nothing = statement.class == "DDL"
            || (statement.class == "FUNCTION" && statement.object.is_none());
        return if reads_nothing { Vec::new() } else { all("the statement can't be parsed") };
    };
    if parsed.iter().any(|parsed| parsed.opaque) {
        return all("the statement runs one that was prepared before");
    }
    let unknown =
        |parsed: &Parsed| parsed.relations.iter().any(|name| !is_known(mapping, parsed, name));
    if parsed.iter().any(unknown) {
        return all("the statement names a relation that the mapping does not list");
    }
    let in_table = |table: &&Table| {
        let using: Vec<_> = parsed.iter().filter(|parsed| parsed.uses(table) > 0).collect();
        if using.is_empty() && statement.object.is_some() && statement.class == "READ" {
            return vec![whole_table(table, "the statement reads through a view or a cursor")];
        }
        let parameters = statement.parameters.as_deref();
        let context = Context { mapping, table, condition: Condition { table, parameters } };
        using.iter().flat_map(|parsed| context.touched(statement.class, parsed)).collect()
    };
    tables.iter().flat_map(in_table).collect()
}

/// Whether the mapping tells what a relation of a statement holds. Any other relation may be a
/// view.
fn is_known(mapping: &Pgaudit, parsed: &Parsed, name: &ObjectName) -> bool {
    let text = name_of(name);
    let listed = |other: &String| same_name(other, &text);
    text.starts_with("pg_catalog.")
        || text.starts_with("information_schema.")
        || mapping.tables.iter().any(|table| names_table(name, table))
        || mapping.other_relations.iter().any(listed)
        || parsed.common.contains(&text)
}

/// A table that a statement names, and what is needed to interpret its use.
#[derive(Clone, Copy)]
struct Context<'a> {
    mapping: &'a Pgaudit,
    table: &'a Table,
    condition: Condition<'a>,
}

impl Context<'_> {
    /// The data of the table that one statement touched.
    fn touched(self, class: &str, parsed: &Parsed) -> Vec<Found> {
        match &parsed.statement {
            ast::Statement::CreateTable(_) => self.selected(parsed, 0),
            _ if class == "DDL" => Vec::new(),
            ast::Statement::Copy { source, to, .. } => self.copied(parsed, source, *to),
            ast::Statement::Insert(insert) => {
                let target = matches!(&insert.table, TableObject::TableName(name)
                    if names_table(name, self.table));
                let mut found = self.selected(parsed, usize::from(target));
                if target {
                    found.extend(inserted(self.table, insert));
                }
                found
            }
            ast::Statement::Update(update) => self.updated(parsed, update),
            ast::Statement::Delete(delete) => self.deleted(parsed, delete),
            _ => self.selected(parsed, 0),
        }
    }

    /// The data that the `SELECT`s of a statement read. `targets` uses of the table are the target
    /// of a write and not part of a `SELECT`.
    fn selected(self, parsed: &Parsed, targets: usize) -> Vec<Found> {
        let uses = parsed.uses(self.table) - targets.min(parsed.uses(self.table));
        if uses == 0 {
            return Vec::new();
        }
        let fields = self.columns().in_statement(&parsed.statement);
        let whose = match parsed.only_select(self.table) {
            Some((select, alias)) if uses == 1 => {
                self.condition.whose(select.selection.as_ref(), &select.from, alias.as_deref())
            }
            _ => everybody("the statement uses the table more than once, or in an unknown way"),
        };
        supplied_and_read(FieldSet::EMPTY, fields, &whose)
    }

    fn updated(self, parsed: &Parsed, update: &ast::Update) -> Vec<Found> {
        let target = plain_table(&update.table).filter(|(name, _)| names_table(name, self.table));
        let Some((_, alias)) = target.filter(|_| parsed.uses(self.table) == 1) else {
            return self.selected(parsed, 0);
        };
        let whose = self.condition.whose(update.selection.as_ref(), &[], alias.as_deref());
        let assigned = update.assignments.iter().flat_map(|a| columns::assigned(&a.target));
        let supplied: FieldSet = assigned.filter_map(|name| field_of(self.table, &name)).collect();
        let returned = self.columns().in_returning(update.returning.as_deref());
        supplied_and_read(supplied, returned, &whose)
    }

    fn deleted(self, parsed: &Parsed, delete: &ast::Delete) -> Vec<Found> {
        let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
        let mut tables = from.iter().filter_map(plain_table);
        let target = tables.find(|(name, _)| names_table(name, self.table));
        let Some((_, alias)) = target.filter(|_| parsed.uses(self.table) == 1) else {
            return self.selected(parsed, 0);
        };
        let whose = self.condition.whose(delete.selection.as_ref(), &[], alias.as_deref());
        let returned = self.columns().in_returning(delete.returning.as_deref());
        supplied_and_read(FieldSet::EMPTY, returned, &whose)
    }

    fn copied(self, parsed: &Parsed, source: &CopySource, out: bool) -> Vec<Found> {
        match source {
            CopySource::Query(_) => self.selected(parsed, 0),
            CopySource::Table { table_name, columns } if names_table(table_name, self.table) => {
                let named =
                    |column: &ast::Ident| field_of(self.table, &column.value.to_lowercase());
                let fields: FieldSet = if columns.is_empty() {
                    all_fields(self.table)
                } else {
                    columns.iter().filter_map(named).collect()
                };
                if out {
                    let whose = everybody("the statement copies the whole table");
                    supplied_and_read(FieldSet::EMPTY, fields, &whose)
                } else {
                    supplied_and_read(fields, FieldSet::EMPTY, &Whose::Keys(Vec::new()))
                }
            }
            CopySource::Table { .. } => {
                vec![whole_table(self.table, "the statement reads through a view")]
            }
        }
    }

    fn columns(&self) -> Columns<'_> {
        Columns::new(self.table, self.mapping)
    }
}

/// The data that an `INSERT` supplied. The customers are those whose keys are among the values, or
/// new ones without a known key.
fn inserted(table: &Table, insert: &ast::Insert) -> Vec<Found> {
    let columns: Vec<String> = insert.columns.iter().map(name_of).collect();
    let supplied: FieldSet = if columns.is_empty() {
        all_fields(table)
    } else {
        columns.iter().filter_map(|name| field_of(table, name)).collect()
    };
    let place = columns.iter().position(|name| name.eq_ignore_ascii_case(&table.key));
    let rows = match insert.source.as_deref().map(|query| query.body.as_ref()) {
        Some(ast::SetExpr::Values(values)) => &values.rows[..],
        _ => &[],
    };
    let key =
        |row: &ast::Parens<Vec<ast::Expr>>| condition::literal(row.content.get(place?)?, None);
    let keys: Option<Vec<Personal>> = rows.iter().map(key).collect();
    supplied_and_read(supplied, FieldSet::EMPTY, &Whose::Keys(keys.unwrap_or_default()))
}

fn supplied_and_read(supplied: FieldSet, read: FieldSet, whose: &Whose) -> Vec<Found> {
    [(Operation::Seal, supplied), (Operation::Release, read)]
        .into_iter()
        .filter(|(_, fields)| !fields.is_empty())
        .map(|(operation, fields)| Found { operation, fields, whose: whose.clone() })
        .collect()
}

fn whole_table(table: &Table, why: &str) -> Found {
    Found { operation: Operation::Release, fields: all_fields(table), whose: everybody(why) }
}

fn everybody(why: &str) -> Whose {
    Whose::Everybody { why: why.to_owned() }
}

fn all_fields(table: &Table) -> FieldSet {
    table.fields.values().copied().collect()
}

fn field_of(table: &Table, column: &str) -> Option<Field> {
    table.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(column)).map(|(_, field)| *field)
}

/// Whether a name, with or without its schema, may mean the table.
fn names_table(name: &ObjectName, table: &Table) -> bool {
    same_name(&table.name, &name_of(name))
}

fn same_name(full: &str, given: &str) -> bool {
    let bare = |name: &str| name.rsplit('.').next().unwrap_or_default().to_lowercase();
    // A name without a schema may mean a table of any schema.
    if full.contains('.') && given.contains('.') {
        full.eq_ignore_ascii_case(given)
    } else {
        bare(full) == bare(given)
    }
}

/// The name and the alias of the first table of a join.
fn plain_table(joined: &TableWithJoins) -> Option<(&ObjectName, Option<String>)> {
    relation(&joined.relation)
}

/// The name and the alias of a table; `None` for a subquery or a function.
fn relation(factor: &TableFactor) -> Option<(&ObjectName, Option<String>)> {
    match factor {
        TableFactor::Table { name, alias, args: None, .. } => {
            Some((name, alias.as_ref().map(|alias| alias.name.value.to_lowercase())))
        }
        _ => None,
    }
}

/// A parsed statement.
struct Parsed {
    statement: ast::Statement,
    /// Every relation that the statement names, once for each time.
    relations: Vec<ObjectName>,
    /// The names of the statement's common table expressions (`WITH`).
    common: Vec<String>,
    /// Whether the statement runs another one whose text is not in it.
    opaque: bool,
}

impl Parsed {
    /// Parses all statements of a text; `None` if the text is empty or not SQL. PostgreSQL logs
    /// statements that were sent together in one text, once for each of them, so a line may be
    /// about any of them.
    fn parse_all(text: &str) -> Option<Vec<Self>> {
        let statements = Parser::parse_sql(&PostgreSqlDialect {}, text).ok()?;
        let mut prepared = Vec::new();
        let mut all = Vec::new();
        for statement in statements {
            match statement {
                ast::Statement::StartTransaction { .. }
                | ast::Statement::Commit { .. }
                | ast::Statement::Rollback { .. }
                | ast::Statement::Set(_) => {}
                ast::Statement::Prepare { name, statement, .. } => {
                    prepared.push(name.value.to_lowercase());
                    all.push(Self::new(*statement));
                }
                ast::Statement::Execute { name: Some(name), .. }
                    if prepared.contains(&name_of(&name)) => {}
                other => all.push(Self::new(other)),
            }
        }
        (!text.trim().is_empty()).then_some(all)
    }

    fn new(statement: ast::Statement) -> Self {
        let mut names = Relations::default();
        let _: ControlFlow<()> = statement.visit(&mut names);
        // The visitor does not visit the table of a `COPY`.
        if let ast::Statement::Copy { source: CopySource::Table { table_name, .. }, .. } =
            &statement
            && names.relations.is_empty()
        {
            names.relations.push(table_name.clone());
        }
        let opaque =
            matches!(statement, ast::Statement::Execute { .. } | ast::Statement::Fetch { .. });
        Self { relations: names.relations, common: names.common, opaque, statement }
    }

    fn uses(&self, table: &Table) -> usize {
        self.relations.iter().filter(|name| names_table(name, table)).count()
    }

    /// The only `SELECT` with the table in its `FROM`, and the table's alias there; `None` if there
    /// is none or more than one.
    fn only_select(&self, table: &Table) -> Option<(Select, Option<String>)> {
        let mut selects = Selects { table, found: Vec::new() };
        let _: ControlFlow<()> = self.statement.visit(&mut selects);
        selects.found.pop().filter(|_| selects.found.is_empty())
    }
}

/// Collects the relations and the common table expressions of a statement.
#[derive(Default)]
struct Relations {
    relations: Vec<ObjectName>,
    common: Vec<String>,
}

impl Visitor for Relations {
    type Break = ();

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        self.relations.push(relation.clone());
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &ast::Query) -> ControlFlow<()> {
        let tables = query.with.iter().flat_map(|with| &with.cte_tables);
        self.common.extend(tables.map(|table| table.alias.name.value.to_lowercase()));
        ControlFlow::Continue(())
    }
}

/// Collects the `SELECT`s with a table in their `FROM`, each with the table's alias.
struct Selects<'a> {
    table: &'a Table,
    found: Vec<(Select, Option<String>)>,
}

impl Visitor for Selects<'_> {
    type Break = ();

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        let factors = select.from.iter().flat_map(|from| {
            std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation))
        });
        for (name, alias) in factors.filter_map(relation) {
            if names_table(name, self.table) {
                self.found.push((select.clone(), alias));
            }
        }
        ControlFlow::Continue(())
    }
}
