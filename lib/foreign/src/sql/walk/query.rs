//! Queries: `SELECT`, set operations, `VALUES` and `WITH`.

use sqlparser::ast::{
    Distinct, Expr, GroupByExpr, LimitClause, NamedWindowExpr, OrderBy, OrderByExpr, OrderByKind,
    Query, Select, SelectFlavor, SelectItem, SelectItemQualifiedWildcardKind, SetExpr,
    SetQuantifier, Statement, TableAliasColumnDef, WildcardAdditionalOptions, With,
};

use super::chosen::Only;
use super::inner::{self, Through};
use super::{Common, Rows, Walk, Walked, is_value};
use crate::sql::Doubt;
use crate::sql::names::folded;

impl Walk<'_> {
    /// Walks a query and returns its columns. `rows` are those for which its results may be computed.
    pub(super) fn query(&mut self, query: &Query, rows: Rows) -> Walked<Results> {
        let Query {
            with,
            body,
            order_by,
            limit_clause,
            fetch,
            locks: _,
            for_clause: None,
            settings: None,
            format_clause: None,
            pipe_operators,
        } = query
        else {
            return not_understood();
        };
        if !pipe_operators.is_empty() {
            return not_understood();
        }
        let before = self.common.len();
        if let Some(with) = with {
            self.with(with)?;
        }
        let order = ordered(order_by.as_ref())?;
        let mut results = self.body(body, order, rows)?;
        if !inner::is_unbounded(query) {
            results.through = Through::default();
        }
        if let Some(limit) = limit_clause {
            self.limit(limit)?;
        }
        if let Some(quantity) = fetch.as_ref().and_then(|fetch| fetch.quantity.as_ref()) {
            self.apart(quantity)?;
        }
        self.common.truncate(before);
        Ok(results)
    }

    fn with(&mut self, with: &With) -> Walked {
        // With RECURSIVE, each expression sees all of them, also those that come later.
        if with.recursive {
            for table in &with.cte_tables {
                let name = folded(&table.alias.name);
                self.common.push(Common { name, columns: Vec::new(), inner: None, uses: 0..0 });
            }
        }
        for table in &with.cte_tables {
            if table.from.is_some() {
                return not_understood();
            }
            let around = std::mem::take(&mut self.around);
            let (columns, inner) = self.inner(&table.query, &table.alias.columns)?;
            self.around = around;
            let uses = inner.uses.clone();
            // With RECURSIVE, another one may have named it before.
            let inner = (!with.recursive).then_some(inner);
            self.common.push(Common { name: folded(&table.alias.name), columns, inner, uses });
        }
        Ok(())
    }

    fn limit(&mut self, limit: &LimitClause) -> Walked {
        match limit {
            LimitClause::LimitOffset { limit, offset, limit_by } if limit_by.is_empty() => {
                let offset = offset.as_ref().map(|offset| &offset.value);
                limit.iter().chain(offset).try_for_each(|expr| self.apart(expr))
            }
            _ => not_understood(),
        }
    }

    /// Walks an expression that sees no relation of the query.
    fn apart(&mut self, expr: &Expr) -> Walked {
        let around = std::mem::take(&mut self.around);
        self.expr(expr, Rows::Any)?;
        self.around = around;
        Ok(())
    }

    fn body(&mut self, body: &SetExpr, order: &[OrderByExpr], rows: Rows) -> Walked<Results> {
        match body {
            SetExpr::Select(select) => self.select(select, order, rows),
            SetExpr::Query(query) => {
                let names = self.query(query, rows)?.names;
                order_of_results(order, &names)?;
                Ok(Results::named(names))
            }
            SetExpr::Values(values) => {
                for expr in values.rows.iter().flat_map(|row| row.content.iter()) {
                    self.expr(expr, rows)?;
                }
                order_of_results(order, &[])?;
                Ok(Results::default())
            }
            SetExpr::SetOperation { .. } => self.set_operation(body, order, rows),
            SetExpr::Insert(Statement::Insert(insert)) => self.insert(insert).map(Results::named),
            SetExpr::Update(Statement::Update(update)) => self.update(update).map(Results::named),
            SetExpr::Delete(Statement::Delete(delete)) => self.delete(delete).map(Results::named),
            _ => not_understood(),
        }
    }

    /// Walks both sides. A chain of operations leans to the left, so it is followed in a loop.
    fn set_operation(
        &mut self,
        body: &SetExpr,
        order: &[OrderByExpr],
        rows: Rows,
    ) -> Walked<Results> {
        use SetQuantifier::{All, Distinct, None};
        let mut left = body;
        while let SetExpr::SetOperation { left: next, op: _, set_quantifier, right } = left {
            if !matches!(set_quantifier, All | Distinct | None) {
                return not_understood();
            }
            self.body(right, &[], rows)?;
            left = next;
        }
        let names = self.body(left, &[], rows)?.names;
        order_of_results(order, &names)?;
        Ok(Results::named(names))
    }

    fn select(&mut self, select: &Select, order: &[OrderByExpr], rows: Rows) -> Walked<Results> {
        if !is_plain(select) {
            return not_understood();
        }
        let scope = self.scopes.open();
        let joined = self.from(scope, &select.from)?;
        self.scopes.stack.push(scope);
        let outside = self.around.len();
        let facts = self.condition(select.selection.as_ref())?;
        let names = self.projection(&select.projection, rows)?;
        self.grouping(select, rows)?;
        for by in order {
            // An order by a result's name reads nothing more.
            let is_result = matches!(&by.expr, Expr::Identifier(ident)
                if names.contains(&folded(ident)));
            if !is_result {
                self.expr(&by.expr, rows)?;
            }
        }
        let through = self.through(select, scope);
        let only = self.only(select, &facts, &joined);
        self.around.truncate(outside);
        self.narrow(scope, &facts, &joined);
        self.scopes.stack.pop();
        Ok(Results { names, through, only })
    }

    fn grouping(&mut self, select: &Select, rows: Rows) -> Walked {
        if let Some(Distinct::On(exprs)) = &select.distinct {
            self.exprs(exprs, rows)?;
        }
        match &select.group_by {
            GroupByExpr::Expressions(exprs, with) if with.is_empty() => self.exprs(exprs, rows)?,
            _ => return not_understood(),
        }
        for window in &select.named_window {
            match &window.1 {
                NamedWindowExpr::NamedWindow(_) => {}
                NamedWindowExpr::WindowSpec(spec) => self.window(spec, rows)?,
            }
        }
        select.having.iter().try_for_each(|having| self.expr(having, rows))
    }

    /// Walks the results of a query or of `RETURNING`, and returns their names.
    pub(super) fn projection(&mut self, items: &[SelectItem], rows: Rows) -> Walked<Vec<String>> {
        let mut names = Vec::new();
        for item in items {
            match item {
                SelectItem::UnnamedExpr(expr) => {
                    self.expr(expr, rows)?;
                    names.extend(name_of_result(expr));
                }
                SelectItem::ExprWithAlias { expr, alias } => {
                    self.expr(expr, rows)?;
                    names.push(folded(alias));
                }
                SelectItem::Wildcard(options) if is_bare(options) => {
                    self.scopes.read_all(self.known);
                }
                SelectItem::QualifiedWildcard(kind, options) if is_bare(options) => match kind {
                    SelectItemQualifiedWildcardKind::ObjectName(name) => self.row(name)?,
                    SelectItemQualifiedWildcardKind::Expr(expr) => self.expr(expr, rows)?,
                },
                _ => return not_understood(),
            }
        }
        Ok(names)
    }
}

/// The columns of a query.
#[derive(Debug, Default)]
pub(super) struct Results {
    /// Their names, as far as they are known.
    pub names: Vec<String>,
    pub through: Through,
    /// Its only column.
    pub only: Option<Only>,
}

impl Results {
    fn named(names: Vec<String>) -> Self {
        Self { names, ..Self::default() }
    }
}

/// The columns of a subquery under its alias.
pub(super) fn from_alias(renamed: &[TableAliasColumnDef], columns: Vec<String>) -> Vec<String> {
    if renamed.is_empty() { columns } else { renamed.iter().map(|of| folded(&of.name)).collect() }
}

fn name_of_result(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Identifier(ident) => Some(folded(ident)),
        Expr::CompoundIdentifier(parts) => parts.last().map(folded),
        _ => None,
    }
}

fn ordered(order: Option<&OrderBy>) -> Walked<&[OrderByExpr]> {
    match order {
        None => Ok(&[]),
        Some(OrderBy { kind: OrderByKind::Expressions(exprs), interpolate: None })
            if exprs.iter().all(|by| by.with_fill.is_none()) =>
        {
            Ok(exprs)
        }
        Some(_) => not_understood(),
    }
}

/// Allows an order by the results' own columns only.
fn order_of_results(order: &[OrderByExpr], columns: &[String]) -> Walked {
    let plain = |by: &OrderByExpr| match &by.expr {
        Expr::Identifier(ident) => columns.contains(&folded(ident)),
        other => is_value(other),
    };
    if order.iter().all(plain) { Ok(()) } else { not_understood() }
}

/// Whether a `SELECT` has only the clauses that the walk visits.
fn is_plain(select: &Select) -> bool {
    let Select {
        select_token: _,
        optimizer_hints: _,
        distinct: _,
        select_modifiers: None,
        top: None,
        top_before_distinct: false,
        projection: _,
        exclude: None,
        into: None,
        from: _,
        lateral_views,
        prewhere: None,
        selection: _,
        connect_by,
        group_by: _,
        cluster_by,
        distribute_by,
        sort_by,
        having: _,
        named_window: _,
        qualify: None,
        window_before_qualify: _,
        value_table_mode: None,
        flavor: SelectFlavor::Standard,
    } = select
    else {
        return false;
    };
    lateral_views.is_empty()
        && connect_by.is_empty()
        && cluster_by.is_empty()
        && distribute_by.is_empty()
        && sort_by.is_empty()
}

const fn is_bare(options: &WildcardAdditionalOptions) -> bool {
    matches!(
        options,
        WildcardAdditionalOptions {
            wildcard_token: _,
            opt_ilike: None,
            opt_exclude: None,
            opt_except: None,
            opt_replace: None,
            opt_rename: None,
            opt_alias: None,
        }
    )
}

fn not_understood<T>() -> Walked<T> {
    Err(Doubt::form("the query has a form that is not understood"))
}
