//! Which customers, and which of their fields, a statement could have touched. Simple forms are
//! understood; everything else counts as everybody.

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

/// A statement as pgaudit tells it.
#[derive(Debug, Clone)]
pub struct Statement<'a> {
    /// `READ`, `WRITE`, `FUNCTION`, `DDL`, …
    pub class: &'a str,
    /// `SELECT`, `PREPARE`, …
    pub command: &'a str,
    /// Which of its tables this line is about: `public.customer`; `None` where
    /// `pgaudit.log_relation` is off.
    pub object: Option<&'a str>,
    /// Its text; empty where it was not logged.
    pub text: &'a str,
    /// Its parameters, `$1` first; `None` where they were not logged.
    pub parameters: Option<Vec<String>>,
}

/// What a statement did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Data went out, or came in.
    pub operation: Operation,
    /// Which.
    pub fields: FieldSet,
    /// Whose.
    pub whose: Whose,
}

/// What a statement did to customers' data; nothing where it touched none.
pub fn resolve(of: &Pgaudit, statement: &Statement<'_>) -> Vec<Found> {
    // To prepare a statement reads nothing: to run it does.
    if !["READ", "WRITE", "FUNCTION", "DDL"].contains(&statement.class)
        || statement.command == "PREPARE"
    {
        return Vec::new();
    }
    let about = |table: &&Table| statement.object.is_none_or(|name| same_name(&table.name, name));
    let tables: Vec<&Table> = of.tables.iter().filter(about).collect();
    let all = |why: &str| tables.iter().map(|table| everything(table, why)).collect();
    let Some(parsed) = Parsed::all(statement.text) else {
        // What a function reads stands in lines of its own.
        let quiet = statement.class == "DDL"
            || (statement.class == "FUNCTION" && statement.object.is_none());
        return if quiet { Vec::new() } else { all("it is not understood") };
    };
    if parsed.iter().any(|one| one.opaque) {
        return all("it runs what was prepared before");
    }
    if parsed.iter().any(|one| one.relations.iter().any(|name| !known(of, one, name))) {
        return all("it names a relation of which the mapping says nothing");
    }
    let of_table = |table: &&Table| {
        let using: Vec<_> = parsed.iter().filter(|one| one.uses(table) > 0).collect();
        if using.is_empty() && statement.object.is_some() && statement.class == "READ" {
            return vec![everything(table, "it reads through a view or a cursor")];
        }
        let condition = Condition { table, parameters: statement.parameters.as_deref() };
        using.iter().flat_map(|one| of_one(of, table, statement, one, condition)).collect()
    };
    tables.iter().flat_map(of_table).collect()
}

/// Whether it is known what a relation of a statement holds. Others may be views.
fn known(of: &Pgaudit, parsed: &Parsed, name: &ObjectName) -> bool {
    let text = name_of(name);
    let listed = |other: &String| same_name(other, &text);
    text.starts_with("pg_catalog.")
        || text.starts_with("information_schema.")
        || of.tables.iter().any(|table| is(name, table))
        || of.other_relations.iter().any(listed)
        || parsed.common.contains(&text)
}

/// What one statement did to a table that it names.
fn of_one(
    of: &Pgaudit,
    table: &Table,
    statement: &Statement<'_>,
    parsed: &Parsed,
    condition: Condition<'_>,
) -> Vec<Found> {
    match &parsed.statement {
        ast::Statement::CreateTable(_) => selected(table, of, parsed, condition, 0),
        _ if statement.class == "DDL" => Vec::new(),
        ast::Statement::Copy { source, to, .. } => copy(table, source, *to, of, parsed, condition),
        ast::Statement::Insert(insert) => {
            let into = matches!(&insert.table, TableObject::TableName(name) if is(name, table));
            let mut found = selected(table, of, parsed, condition, usize::from(into));
            if into {
                found.extend(inserted(table, insert));
            }
            found
        }
        ast::Statement::Update(update) => {
            let target = plain(&update.table).filter(|(name, _)| is(name, table));
            let Some((_, alias)) = target.filter(|_| parsed.uses(table) == 1) else {
                return selected(table, of, parsed, condition, 0);
            };
            let whose = condition.whose(update.selection.as_ref(), &[], alias.as_deref());
            let set = update.assignments.iter().flat_map(|a| columns::assigned(&a.target));
            let brought: FieldSet = set.filter_map(|name| field_of(table, &name)).collect();
            let returned = Columns::new(table, of).returning(update.returning.as_deref());
            both(brought, returned, &whose)
        }
        ast::Statement::Delete(delete) => {
            let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
            let target = from.iter().filter_map(plain).find(|(name, _)| is(name, table));
            let Some((_, alias)) = target.filter(|_| parsed.uses(table) == 1) else {
                return selected(table, of, parsed, condition, 0);
            };
            let whose = condition.whose(delete.selection.as_ref(), &[], alias.as_deref());
            let returned = Columns::new(table, of).returning(delete.returning.as_deref());
            both(FieldSet::EMPTY, returned, &whose)
        }
        _ => selected(table, of, parsed, condition, 0),
    }
}

/// What the `SELECT`s of a statement read of a table, of which `aside` uses are none of theirs.
fn selected(
    table: &Table,
    of: &Pgaudit,
    parsed: &Parsed,
    condition: Condition<'_>,
    aside: usize,
) -> Vec<Found> {
    let uses = parsed.uses(table) - aside.min(parsed.uses(table));
    if uses == 0 {
        return Vec::new();
    }
    let fields = Columns::new(table, of).all(&parsed.statement);
    let whose = match parsed.only_select(table) {
        Some((select, alias)) if uses == 1 => {
            condition.whose(select.selection.as_ref(), &select.from, alias.as_deref())
        }
        _ => everybody("it uses the table more than once, or in a way that is not understood"),
    };
    both(FieldSet::EMPTY, fields, &whose)
}

fn copy(
    table: &Table,
    source: &CopySource,
    to: bool,
    of: &Pgaudit,
    parsed: &Parsed,
    condition: Condition<'_>,
) -> Vec<Found> {
    match source {
        CopySource::Query(_) => selected(table, of, parsed, condition, 0),
        CopySource::Table { table_name, columns } if is(table_name, table) => {
            let named = |column: &ast::Ident| field_of(table, &column.value.to_lowercase());
            let fields: FieldSet = if columns.is_empty() {
                all_fields(table)
            } else {
                columns.iter().filter_map(named).collect()
            };
            if to {
                both(FieldSet::EMPTY, fields, &everybody("it copies the whole table"))
            } else {
                both(fields, FieldSet::EMPTY, &Whose::Keys(Vec::new()))
            }
        }
        CopySource::Table { .. } => vec![everything(table, "it reads through a view")],
    }
}

/// Whom an `INSERT` brought: by key where that is among its values, else somebody new.
fn inserted(table: &Table, insert: &ast::Insert) -> Vec<Found> {
    let columns: Vec<String> = insert.columns.iter().map(name_of).collect();
    let brought: FieldSet = if columns.is_empty() {
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
    both(brought, FieldSet::EMPTY, &Whose::Keys(keys.unwrap_or_default()))
}

fn both(brought: FieldSet, read: FieldSet, whose: &Whose) -> Vec<Found> {
    [(Operation::Seal, brought), (Operation::Release, read)]
        .into_iter()
        .filter(|(_, fields)| !fields.is_empty())
        .map(|(operation, fields)| Found { operation, fields, whose: whose.clone() })
        .collect()
}

fn everything(table: &Table, why: &str) -> Found {
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

/// Whether a name, with or without its schema, may be a table's.
fn is(name: &ObjectName, table: &Table) -> bool {
    same_name(&table.name, &name_of(name))
}

fn same_name(full: &str, given: &str) -> bool {
    let bare = |name: &str| name.rsplit('.').next().unwrap_or_default().to_lowercase();
    // A schema that is not named may be any: only where both are named they must agree.
    if full.contains('.') && given.contains('.') {
        full.eq_ignore_ascii_case(given)
    } else {
        bare(full) == bare(given)
    }
}

/// A table that stands as it is, and its alias.
fn plain(of: &TableWithJoins) -> Option<(&ObjectName, Option<String>)> {
    relation(&of.relation)
}

fn relation(factor: &TableFactor) -> Option<(&ObjectName, Option<String>)> {
    match factor {
        TableFactor::Table { name, alias, args: None, .. } => {
            Some((name, alias.as_ref().map(|alias| alias.name.value.to_lowercase())))
        }
        _ => None,
    }
}

/// A statement that was understood as far as its form goes.
struct Parsed {
    statement: ast::Statement,
    /// Every relation that it names, as often as it does.
    relations: Vec<ObjectName>,
    /// Names that it gives to parts of its own (`WITH`).
    common: Vec<String>,
    /// Whether it runs something that stands elsewhere.
    opaque: bool,
}

impl Parsed {
    /// The statements of a text: several that were sent together are logged together, once for
    /// each of them, so that each line may be about any.
    fn all(text: &str) -> Option<Vec<Self>> {
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
        let mut names = Names::default();
        let _: ControlFlow<()> = statement.visit(&mut names);
        // The visitor passes it by.
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
        self.relations.iter().filter(|name| is(name, table)).count()
    }

    /// The one `SELECT` that has the table in its `FROM` as it is, and the alias there.
    fn only_select(&self, table: &Table) -> Option<(Select, Option<String>)> {
        let mut finder = Finder { table, found: Vec::new() };
        let _: ControlFlow<()> = self.statement.visit(&mut finder);
        finder.found.pop().filter(|_| finder.found.is_empty())
    }
}

#[derive(Default)]
struct Names {
    relations: Vec<ObjectName>,
    common: Vec<String>,
}

impl Visitor for Names {
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

struct Finder<'a> {
    table: &'a Table,
    found: Vec<(Select, Option<String>)>,
}

impl Visitor for Finder<'_> {
    type Break = ();

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        let factors = select.from.iter().flat_map(|from| {
            std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation))
        });
        for (name, alias) in factors.filter_map(relation) {
            if is(name, self.table) {
                self.found.push((select.clone(), alias));
            }
        }
        ControlFlow::Continue(())
    }
}
