//! Which fields of a table a statement names.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use cofferdam_core::FieldSet;
use sqlparser::ast::{
    AssignmentTarget, Expr, Ident, ObjectName, ObjectNamePart, Select, SelectItem, Statement,
    TableFactor, Visit, Visitor,
};

use super::{all_fields, field_of, is, relation};
use crate::mapping::{Pgaudit, Table};

/// A name as one writes it, in small letters.
pub fn name_of(name: &ObjectName) -> String {
    let parts = name.0.iter().map(|part| match part {
        ObjectNamePart::Identifier(ident) => ident.value.to_lowercase(),
        ObjectNamePart::Function(_) => "?".to_owned(),
    });
    parts.collect::<Vec<_>>().join(".")
}

/// The columns that an assignment sets.
pub fn assigned(target: &AssignmentTarget) -> Vec<String> {
    let last = |name: &ObjectName| name_of(name).rsplit('.').next().unwrap_or_default().to_owned();
    match target {
        AssignmentTarget::ColumnName(name) => vec![last(name)],
        AssignmentTarget::Tuple(names) => names.iter().map(last).collect(),
    }
}

/// Looks a statement through for the fields of one table.
pub struct Columns<'a> {
    table: &'a Table,
    of: &'a Pgaudit,
    found: FieldSet,
    /// What stands for the table: its name and aliases.
    own: BTreeSet<String>,
    /// What stands for something else.
    others: BTreeSet<String>,
    /// Names of a statement's results.
    results: BTreeSet<String>,
}

impl<'a> Columns<'a> {
    pub fn new(table: &'a Table, of: &'a Pgaudit) -> Self {
        let bare = table.name.rsplit('.').next().unwrap_or_default().to_lowercase();
        Self {
            table,
            of,
            found: FieldSet::EMPTY,
            own: [bare].into(),
            others: BTreeSet::new(),
            results: BTreeSet::new(),
        }
    }

    /// The fields that stand anywhere in a statement: a condition tells of a field, too.
    pub fn all(mut self, statement: &Statement) -> FieldSet {
        let mut names = Names { table: self.table, own: &mut self.own, others: &mut self.others };
        let _: ControlFlow<()> = statement.visit(&mut names);
        let mut results = Results(&mut self.results);
        let _: ControlFlow<()> = statement.visit(&mut results);
        let _: ControlFlow<()> = statement.visit(&mut self);
        self.found
    }

    /// The fields that `RETURNING` gives.
    pub fn returning(mut self, items: Option<&[SelectItem]>) -> FieldSet {
        for item in items.unwrap_or_default() {
            self.item(item);
            let _: ControlFlow<()> = item.visit(&mut self);
        }
        self.found
    }

    fn item(&mut self, item: &SelectItem) {
        match item {
            SelectItem::UnnamedExpr(_)
            | SelectItem::ExprWithAlias { .. }
            | SelectItem::ExprWithAliases { .. } => {}
            // `*`, `c.*`, and what else stands for many columns.
            _ => self.found = all_fields(self.table),
        }
    }

    fn column(&mut self, qualifier: Option<&Ident>, column: &Ident) {
        let name = column.value.to_lowercase();
        let qualifier = qualifier.map(|ident| ident.value.to_lowercase());
        if qualifier.as_ref().is_some_and(|q| self.others.contains(q) && !self.own.contains(q)) {
            return;
        }
        if let Some(field) = field_of(self.table, &name) {
            self.found = self.found.with(field);
            return;
        }
        let same = |other: &String| other.eq_ignore_ascii_case(&name);
        let harmless = same(&self.table.key) || self.table.harmless.iter().any(same);
        let elsewhere = || {
            let has = |t: &Table| {
                t.fields.keys().any(same) || t.harmless.iter().any(same) || same(&t.key)
            };
            self.of.tables.iter().any(has)
        };
        let result = qualifier.is_none() && self.results.contains(&name);
        if !(harmless || result || (qualifier.is_none() && elsewhere())) {
            // A column of which the mapping says nothing, or the whole row under the table's name.
            self.found = all_fields(self.table);
        }
    }
}

impl Visitor for Columns<'_> {
    type Break = ();

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        // A wildcard over a part of the statement that is looked through itself gives no more.
        let uses = select.from.iter().flat_map(|from| {
            std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation))
        });
        let mut uses = uses.peekable();
        let derived = |factor: &TableFactor| matches!(factor, TableFactor::Derived { .. });
        if uses.peek().is_none() || !uses.all(derived) {
            for item in &select.projection {
                self.item(item);
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Identifier(ident) => self.column(None, ident),
            Expr::CompoundIdentifier(parts) => {
                let mut back = parts.iter().rev();
                if let Some(column) = back.next() {
                    self.column(back.next(), column);
                }
            }
            Expr::Wildcard(_) | Expr::QualifiedWildcard(..) => self.found = all_fields(self.table),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// Which names stand for the table, and which for others.
struct Names<'a> {
    table: &'a Table,
    own: &'a mut BTreeSet<String>,
    others: &'a mut BTreeSet<String>,
}

impl Visitor for Names<'_> {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        if let Some((name, alias)) = relation(factor) {
            let bare = name_of(name).rsplit('.').next().unwrap_or_default().to_owned();
            let names = if is(name, self.table) { &mut *self.own } else { &mut *self.others };
            names.insert(alias.unwrap_or(bare));
        }
        ControlFlow::Continue(())
    }
}

/// The names that a statement gives to its results.
struct Results<'a>(&'a mut BTreeSet<String>);

impl Visitor for Results<'_> {
    type Break = ();

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        for item in &select.projection {
            if let SelectItem::ExprWithAlias { alias, .. } = item {
                self.0.insert(alias.value.to_lowercase());
            }
        }
        ControlFlow::Continue(())
    }
}
