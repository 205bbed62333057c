//! Subqueries in a `FROM`: what the query around one says about the rows within.

use std::ops::{ControlFlow, Range};

use sqlparser::ast::{
    Distinct, Expr, GroupByExpr, LimitClause, Query, Select, SelectItem, SetExpr,
    TableAliasColumnDef, Visit, Visitor,
};

use super::query::from_alias;
use super::{Rows, Walk, Walked};
use crate::sql::facts::{Fact, Node};
use crate::sql::names::folded;

/// A subquery in a `FROM`, or a common table expression.
#[derive(Debug, Clone)]
pub struct Inner {
    /// The places in [`Walk::narrowed`] of the uses within.
    pub uses: Range<usize>,
    /// The columns whose rows go through one by one.
    pub through: Through,
}

/// The columns of a subquery that are columns of its rows. A condition on such a column holds for the
/// rows within, if each row of the result comes from one row of theirs.
#[derive(Debug, Clone, Default)]
pub struct Through {
    columns: Vec<(String, Node)>,
    /// The scope whose only relation gives all its columns, under their names.
    all_of: Option<usize>,
}

impl Through {
    /// The column within that a column of the result is.
    fn node(&self, column: &str) -> Option<Node> {
        let named = self.columns.iter().find(|(name, _)| name == column);
        let all = || self.all_of.map(|scope| Node::new(scope, Some(0), column.to_owned()));
        named.map(|(_, node)| node.clone()).or_else(all)
    }
}

impl Walk<'_> {
    /// Walks a query that stands in a `FROM` or a `WITH`, and returns its columns under their alias.
    pub(super) fn inner(
        &mut self,
        query: &Query,
        renamed: &[TableAliasColumnDef],
    ) -> Walked<(Vec<String>, Inner)> {
        let first = self.narrowed.len();
        let results = self.query(query, Rows::Any)?;
        let through = if renamed.is_empty() { results.through } else { Through::default() };
        let inner = Inner { uses: first..self.narrowed.len(), through };
        Ok((from_alias(renamed, results.names), inner))
    }

    /// The columns that go through a `SELECT`, whose scope is in view.
    pub(super) fn through(&self, select: &Select, scope: usize) -> Through {
        if !goes_through(select) {
            return Through::default();
        }
        if let [SelectItem::Wildcard(_)] = &select.projection[..] {
            let alone = self.scopes.all[scope].factors.len() == 1;
            return Through { columns: Vec::new(), all_of: alone.then_some(scope) };
        }
        let column = |item: &SelectItem| {
            let (expr, name) = match item {
                SelectItem::UnnamedExpr(expr @ Expr::Identifier(name)) => (expr, name),
                SelectItem::UnnamedExpr(expr @ Expr::CompoundIdentifier(parts)) => {
                    (expr, parts.last()?)
                }
                SelectItem::ExprWithAlias { expr, alias } if is_column(expr) => (expr, alias),
                _ => return None,
            };
            Some((folded(name), self.context().node(expr)?))
        };
        Through { columns: select.projection.iter().filter_map(column).collect(), all_of: None }
    }

    /// Adds the facts about the rows of a subquery's result to the uses within.
    pub(super) fn narrow_inner(&mut self, scope: usize, place: usize, facts: &[Fact]) {
        let Some(inner) = &self.scopes.all[scope].factors[place].inner else { return };
        let columns = facts.iter().flat_map(Fact::nodes).filter(
            |node| matches!(node.column(), Some((of, at, _)) if (of, at) == (scope, place)),
        );
        let mut columns: Vec<_> = columns.map(Node::bare).collect();
        columns.sort_unstable();
        columns.dedup();
        let mut more = facts.to_vec();
        for mut column in columns {
            // A column of a subquery may be one of a subquery in turn.
            while let Some(within) = self.within_inner(&column) {
                more.push(Fact::Same(column, within.clone()));
                column = within;
            }
        }
        for narrowed in &mut self.narrowed[inner.uses.clone()] {
            narrowed.around.extend_from_slice(&more);
        }
    }

    /// The column within a subquery that a column of its result is.
    fn within_inner(&self, column: &Node) -> Option<Node> {
        let (scope, place, name) = column.column()?;
        self.scopes.all[scope].factors[place].inner.as_ref()?.through.node(name)
    }
}

/// Whether a query is one `SELECT` that neither bounds nor numbers its rows.
pub(super) fn is_unbounded(query: &Query) -> bool {
    let unlimited = match &query.limit_clause {
        None => true,
        Some(LimitClause::LimitOffset { limit, offset, .. }) => limit.is_none() && offset.is_none(),
        Some(_) => false,
    };
    unlimited
        && query.fetch.is_none()
        && query.with.is_none()
        && matches!(query.body.as_ref(), SetExpr::Select(_))
}

/// Whether each row of the result comes from one row, whatever the others are. A column that is not
/// grouped excludes aggregates: PostgreSQL refuses both together.
fn goes_through(select: &Select) -> bool {
    let grouped =
        !matches!(&select.group_by, GroupByExpr::Expressions(exprs, _) if exprs.is_empty());
    let chosen = matches!(select.distinct, Some(Distinct::On(_)));
    !grouped && !chosen && select.named_window.is_empty() && !has_window(select)
}

pub(super) const fn is_column(expr: &Expr) -> bool {
    matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_))
}

/// Whether a part looks at several rows for each of its results.
fn has_window(select: &Select) -> bool {
    struct Windows;
    impl Visitor for Windows {
        type Break = ();

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match expr {
                Expr::Function(function) if function.over.is_some() => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        }
    }
    select.visit(&mut Windows).is_break()
}
