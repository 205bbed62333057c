//! Finds the fields of a table that a statement names.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use cofferdam_core::FieldSet;
use sqlparser::ast::{
    AssignmentTarget, Expr, Ident, ObjectName, ObjectNamePart, Select, SelectItem, Statement,
    TableFactor, Visit, Visitor,
};

use super::{all_fields, field_of, names_table, relation};
use crate::mapping::{Pgaudit, Table};

/// An object's name with dots between its parts, in lower case.
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

/// Searches a statement for the fields of one table.
pub struct Columns<'a> {
    table: &'a Table,
    mapping: &'a Pgaudit,
    found: FieldSet,
    /// The qualifiers that mean the table: its name and its aliases.
    own: BTreeSet<String>,
    /// The qualifiers that mean another relation.
    others: BTreeSet<String>,
    /// The names that the statement gives to its results.
    results: BTreeSet<String>,
}

impl<'a> Columns<'a> {
    pub fn new(table: &'a Table, mapping: &'a Pgaudit) -> Self {
        let bare = table.name.rsplit('.').next().unwrap_or_default().to_lowercase();
        Self {
            table,
            mapping,
            found: FieldSet::EMPTY,
            own: [bare].into(),
            others: BTreeSet::new(),
            results: BTreeSet::new(),
        }
    }

    /// The fields that a statement names anywhere. A field in a condition counts too, because the
    /// result tells about its value.
    pub fn in_statement(mut self, statement: &Statement) -> FieldSet {
        let mut qualifiers =
            Qualifiers { table: self.table, own: &mut self.own, others: &mut self.others };
        let _: ControlFlow<()> = statement.visit(&mut qualifiers);
        let mut results = Results(&mut self.results);
        let _: ControlFlow<()> = statement.visit(&mut results);
        let _: ControlFlow<()> = statement.visit(&mut self);
        self.found
    }

    /// The fields that a `RETURNING` clause returns.
    pub fn in_returning(mut self, items: Option<&[SelectItem]>) -> FieldSet {
        for item in items.unwrap_or_default() {
            self.add_wildcard(item);
            let _: ControlFlow<()> = item.visit(&mut self);
        }
        self.found
    }

    /// Adds all fields if an item may stand for several columns, like `*` or `c.*`.
    fn add_wildcard(&mut self, item: &SelectItem) {
        match item {
            SelectItem::UnnamedExpr(_)
            | SelectItem::ExprWithAlias { .. }
            | SelectItem::ExprWithAliases { .. } => {}
            _ => self.found = all_fields(self.table),
        }
    }

    fn add_column(&mut self, qualifier: Option<&Ident>, column: &Ident) {
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
        let of_another_table = || {
            let has = |t: &Table| {
                t.fields.keys().any(same) || t.harmless.iter().any(same) || same(&t.key)
            };
            self.mapping.tables.iter().any(has)
        };
        let is_result = qualifier.is_none() && self.results.contains(&name);
        if !(harmless || is_result || (qualifier.is_none() && of_another_table())) {
            // The mapping does not list the column, or the name means the whole row of the table.
            self.found = all_fields(self.table);
        }
    }
}

impl Visitor for Columns<'_> {
    type Break = ();

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        // A wildcard over subqueries adds no field, because the visitor searches these too.
        let factors = select.from.iter().flat_map(|from| {
            std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation))
        });
        let mut factors = factors.peekable();
        let is_subquery = |factor: &TableFactor| matches!(factor, TableFactor::Derived { .. });
        if factors.peek().is_none() || !factors.all(is_subquery) {
            for item in &select.projection {
                self.add_wildcard(item);
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Identifier(ident) => self.add_column(None, ident),
            Expr::CompoundIdentifier(parts) => {
                let mut back = parts.iter().rev();
                if let Some(column) = back.next() {
                    self.add_column(back.next(), column);
                }
            }
            Expr::Wildcard(_) | Expr::QualifiedWildcard(..) => self.found = all_fields(self.table),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// Collects the qualifiers that mean the table and those that mean another relation.
struct Qualifiers<'a> {
    table: &'a Table,
    own: &'a mut BTreeSet<String>,
    others: &'a mut BTreeSet<String>,
}

impl Visitor for Qualifiers<'_> {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        if let Some((name, alias)) = relation(factor) {
            let bare = name_of(name).rsplit('.').next().unwrap_or_default().to_owned();
            let is_own = names_table(name, self.table);
            let qualifiers = if is_own { &mut *self.own } else { &mut *self.others };
            qualifiers.insert(alias.unwrap_or(bare));
        }
        ControlFlow::Continue(())
    }
}

/// Collects the names that a statement gives to its results.
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
