//! Conditions whose subqueries choose rows: `WHERE id IN (SELECT customer_id FROM …)`. Each row that
//! goes on equals a row of the subquery, and so the facts of that row hold beside its own.

use sqlparser::ast::{BinaryOperator, Expr, Query, Select, SelectItem};

use super::from::Joined;
use super::inner::is_column;
use super::{Rows, Walk, Walked};
use crate::sql::facts::{Fact, Node};

/// The only column of a query, which is a column of its rows.
#[derive(Debug)]
pub(super) struct Only {
    node: Node,
    /// The facts about the row from which a result comes, if the result is not null.
    facts: Vec<Fact>,
}

/// A comparison with the results of a subquery, which holds for one of them.
struct Choice<'a> {
    value: &'a Expr,
    subquery: &'a Query,
    /// Whether it fails if the subquery gives several rows.
    fails: bool,
}

impl Walk<'_> {
    /// Walks a condition, adds its facts to those around the subqueries to come, and returns them.
    pub(super) fn condition(&mut self, condition: Option<&Expr>) -> Walked<Vec<Fact>> {
        let mut facts = self.facts(condition);
        self.around.extend_from_slice(&facts);
        let (mut more, mut left) = (Vec::new(), Vec::from_iter(condition));
        while let Some(expr) = left.pop() {
            match expr {
                Expr::Nested(inner) => left.push(inner),
                Expr::BinaryOp { left: a, op: BinaryOperator::And, right: b } => {
                    left.extend([a.as_ref(), b.as_ref()]);
                }
                other => match choice(other) {
                    Some(choice) => more.extend(self.choice(&choice)?),
                    None => self.expr(other, Rows::Any)?,
                },
            }
        }
        // Subqueries within the condition were walked without these: they may look at other rows too.
        self.around.extend_from_slice(&more);
        facts.extend(more);
        Ok(facts)
    }

    fn choice(&mut self, choice: &Choice<'_>) -> Walked<Vec<Fact>> {
        self.expr(choice.value, Rows::Any)?;
        let mut results = None;
        self.guarded(Rows::Any, !choice.fails, |walk| {
            results = walk.query(choice.subquery, Rows::Any)?.only;
            Ok(())
        })?;
        let chosen = self.context().node(choice.value).zip(results);
        let facts = chosen.map(|(value, Only { node, mut facts })| {
            facts.push(Fact::Equal(value, node));
            facts
        });
        Ok(facts.unwrap_or_default())
    }

    /// The only column of a `SELECT`, whose scope is in view. Grouping, ordering and limits choose among
    /// rows for which the facts hold.
    pub(super) fn only(&self, select: &Select, facts: &[Fact], joined: &[Joined]) -> Option<Only> {
        let [SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, alias: _ }] =
            &select.projection[..]
        else {
            return None;
        };
        let node = is_column(expr).then(|| self.context().node(expr)).flatten()?;
        let mut facts = facts.to_vec();
        if let (Some(scope), Some((of, factor, _))) = (self.scopes.stack.last(), node.column())
            && of == *scope
        {
            let own = joined.iter().filter(|on| on.factors.contains(&factor));
            facts.extend(own.flat_map(|on| on.facts.iter().cloned()));
        }
        Some(Only { node, facts })
    }
}

fn choice(expr: &Expr) -> Option<Choice<'_>> {
    match expr {
        Expr::InSubquery { expr, subquery, negated: false } => {
            Some(Choice { value: expr, subquery, fails: false })
        }
        Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right, .. } => {
            let subquery = subquery(right)?;
            Some(Choice { value: left, subquery, fails: false })
        }
        Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
            let (value, subquery) = match subquery(right) {
                Some(subquery) => (left, subquery),
                None => (right, subquery(left)?),
            };
            Some(Choice { value, subquery, fails: true })
        }
        _ => None,
    }
}

fn subquery(expr: &Expr) -> Option<&Query> {
    match expr {
        Expr::Nested(inner) => subquery(inner),
        Expr::Subquery(query) => Some(query),
        _ => None,
    }
}
