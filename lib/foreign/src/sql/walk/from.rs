//! The relations of a `FROM`, and what its joins say about their rows.

use std::ops::Range;

use sqlparser::ast::{
    FunctionArg, JoinConstraint, JoinOperator, ObjectName, TableAlias, TableFactor, TableWithJoins,
};

use super::inner::{Inner, Through};
use super::query::from_alias;
use super::{Rows, Walk, Walked};
use crate::sql::Doubt;
use crate::sql::facts::{Fact, Node};
use crate::sql::known::Relation;
use crate::sql::names::{Name, folded};
use crate::sql::scope::Factor;

/// Facts that a join adds for the factors that it restricts.
pub(super) struct Joined {
    pub factors: Range<usize>,
    pub facts: Vec<Fact>,
}

/// The sides of a join whose rows go on only if its condition holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Restricts {
    Both,
    Left,
    Right,
    Neither,
}

impl Walk<'_> {
    /// Fills a scope with the relations of a `FROM`.
    pub(super) fn from(&mut self, scope: usize, from: &[TableWithJoins]) -> Walked<Vec<Joined>> {
        let (mut joined, mut whole) = (Vec::<Joined>::new(), Vec::new());
        for item in from {
            whole.extend(self.joins(scope, item, &mut joined)?);
        }
        // Each row of an item goes on together with rows of the others.
        let end = self.scopes.all[scope].factors.len();
        for at in whole {
            joined[at].factors = 0..end;
        }
        Ok(joined)
    }

    /// Fills a scope with joined relations. Returns the places in `joined` of the facts that hold for
    /// every row of the result.
    fn joins(
        &mut self,
        scope: usize,
        item: &TableWithJoins,
        joined: &mut Vec<Joined>,
    ) -> Walked<Vec<usize>> {
        let first = self.scopes.all[scope].factors.len();
        let mut whole = self.factor(scope, &item.relation, joined)?;
        for join in &item.joins {
            if join.global {
                return not_understood();
            }
            let right = self.scopes.all[scope].factors.len();
            let whole_right = self.factor(scope, &join.relation, joined)?;
            let end = self.scopes.all[scope].factors.len();
            let (restricts, constraint) = kind_of(&join.join_operator)?;
            // A condition of a join sees only what the join joins.
            let visible = std::mem::replace(&mut self.scopes.all[scope].visible_from, first);
            let facts = match constraint {
                JoinConstraint::On(on) => self.within(scope, |walk| {
                    let facts = walk.facts(Some(on));
                    walk.expr(on, Rows::Any)?;
                    Ok(facts)
                })?,
                JoinConstraint::Using(columns) => {
                    self.using(scope, columns, (first..right, right..end), restricts)?
                }
                JoinConstraint::None => Vec::new(),
                // A natural join does not name its columns.
                JoinConstraint::Natural => return not_understood(),
            };
            self.scopes.all[scope].visible_from = visible;
            let factors = match restricts {
                Restricts::Both => first..end,
                Restricts::Left => first..right,
                Restricts::Right => right..end,
                Restricts::Neither => end..end,
            };
            // Rows of one side that go on only together with rows of the other share their facts.
            let (left, both) = (std::mem::take(&mut whole), Vec::from([joined.len()]));
            joined.push(Joined { factors, facts });
            whole = match restricts {
                Restricts::Both => [left, whole_right, both].concat(),
                Restricts::Right => left,
                Restricts::Left => whole_right,
                Restricts::Neither => Vec::new(),
            };
            for at in &whole {
                joined[*at].factors = first..end;
            }
        }
        Ok(whole)
    }

    /// Reads the columns of a `USING`, and returns the facts that it states.
    fn using(
        &mut self,
        scope: usize,
        columns: &[ObjectName],
        (left, right): (Range<usize>, Range<usize>),
        restricts: Restricts,
    ) -> Walked<Vec<Fact>> {
        let mut facts = Vec::new();
        for column in columns {
            let Some(Name { bare: column, .. }) = Name::of(column) else { return not_understood() };
            let both = &self.scopes.all[scope].factors[left.start..right.end];
            let qualifiers: Vec<_> = both.iter().map(|factor| factor.alias.clone()).collect();
            self.within(scope, |walk| {
                for qualifier in qualifiers {
                    walk.scopes.read_qualified(walk.known, &qualifier, &column)?;
                }
                Ok(())
            })?;
            let merged = Node::new(scope, None, column.clone());
            let equal =
                |at| Fact::Equal(Node::new(scope, Some(at), column.clone()), merged.clone());
            // The merged column of other joins may be null or of the other side.
            if matches!(restricts, Restricts::Both | Restricts::Right) {
                facts.extend((right.len() == 1).then(|| equal(right.start)));
                facts.extend((left.len() == 1).then(|| equal(left.start)));
            }
            self.scopes.all[scope].merged.push(column);
        }
        Ok(facts)
    }

    /// Adds a relation, or several that parentheses join. Returns the places in `joined` of the facts
    /// that hold for every row of it.
    fn factor(
        &mut self,
        scope: usize,
        factor: &TableFactor,
        joined: &mut Vec<Joined>,
    ) -> Walked<Vec<usize>> {
        if let TableFactor::NestedJoin { table_with_joins, alias: None } = factor {
            return self.joins(scope, table_with_joins, joined);
        }
        self.single_factor(scope, factor).map(|()| Vec::new())
    }

    fn single_factor(&mut self, scope: usize, factor: &TableFactor) -> Walked {
        match factor {
            TableFactor::Table {
                name,
                alias,
                args,
                with_hints,
                version: None,
                with_ordinality,
                partitions,
                json_path: None,
                sample: None,
                index_hints,
            } if with_hints.is_empty() && partitions.is_empty() && index_hints.is_empty() => {
                match args {
                    None if !with_ordinality => self.table(scope, name, alias.as_ref()),
                    Some(args) if args.settings.is_none() => {
                        self.function_in_from(scope, name, &args.args, alias.as_ref())
                    }
                    _ => not_understood(),
                }
            }
            TableFactor::Function { lateral: _, name, args, with_ordinality: _, alias } => {
                self.function_in_from(scope, name, args, alias.as_ref())
            }
            TableFactor::UNNEST {
                alias,
                array_exprs,
                with_offset: false,
                with_offset_alias: None,
                with_ordinality: _,
            } => {
                self.within(scope, |walk| walk.exprs(array_exprs, Rows::Any))?;
                self.push(scope, "unnest".to_owned(), alias.as_ref(), (Vec::new(), None))
            }
            TableFactor::Derived { lateral, subquery, alias, sample: None } => {
                let (columns, inner) = if *lateral {
                    self.within(scope, |walk| walk.inner(subquery, &[]))?
                } else {
                    // No condition around it restricts its rows.
                    let around = std::mem::take(&mut self.around);
                    let walked = self.inner(subquery, &[])?;
                    self.around = around;
                    walked
                };
                self.push(scope, String::new(), alias.as_ref(), (columns, Some(inner)))
            }
            _ => not_understood(),
        }
    }

    /// Adds a table, a view or a common table expression.
    fn table(&mut self, scope: usize, name: &ObjectName, alias: Option<&TableAlias>) -> Walked {
        let Some(given) = Name::of(name) else { return not_understood() };
        let mut common = self.common.iter_mut().rev();
        if given.schema.is_none()
            && let Some(common) = common.find(|common| common.name == given.bare)
        {
            let (columns, inner) = (common.columns.clone(), common.inner.take());
            if inner.is_none() {
                let uses = common.uses.clone();
                self.narrowed[uses].iter_mut().for_each(|narrowed| narrowed.repeated = true);
            }
            return self.push(scope, given.bare, alias, (columns, inner));
        }
        if let Relation::View(view) = self.meaning(&given) {
            return self.view(scope, view, given.bare, alias);
        }
        let Some(table) = self.relation(name)? else {
            let columns = self.known.columns(&given);
            self.push(scope, given.bare.clone(), alias, (columns, None))?;
            let renamed = alias.is_some_and(|alias| !alias.columns.is_empty());
            if let Some(factor) = self.scopes.all[scope].factors.last_mut().filter(|_| !renamed) {
                factor.origin = Some(given);
            }
            return Ok(());
        };
        if alias.is_some_and(|alias| !alias.columns.is_empty() || alias.at.is_some()) {
            // The statement renames the table's columns.
            return not_understood();
        }
        let used = self.scopes.start_use(table);
        let alias = alias.map_or_else(|| given.bare.clone(), |alias| folded(&alias.name));
        let origin = Some(given);
        let factor = Factor { alias, used: Some(used), columns: Vec::new(), inner: None, origin };
        self.scopes.all[scope].factors.push(factor);
        Ok(())
    }

    fn function_in_from(
        &mut self,
        scope: usize,
        name: &ObjectName,
        args: &[FunctionArg],
        alias: Option<&TableAlias>,
    ) -> Walked {
        let bare = self.harmless_function(name)?;
        self.within(scope, |walk| args.iter().try_for_each(|arg| walk.argument(arg, Rows::Any)))?;
        self.push(scope, bare, alias, (Vec::new(), None))
    }

    /// Adds a relation without customers' data of its own. A subquery's reads count inside the subquery.
    pub(super) fn push(
        &mut self,
        scope: usize,
        name: String,
        alias: Option<&TableAlias>,
        (columns, mut inner): (Vec<String>, Option<Inner>),
    ) -> Walked {
        let (alias, columns) = match alias {
            Some(TableAlias { explicit: _, name, columns: renamed, at: None }) => {
                if let Some(inner) = inner.as_mut().filter(|_| !renamed.is_empty()) {
                    inner.through = Through::default();
                }
                (folded(name), from_alias(renamed, columns))
            }
            Some(_) => return not_understood(),
            None => (name, columns),
        };
        self.scopes.all[scope].factors.push(Factor {
            alias,
            used: None,
            columns,
            inner,
            origin: None,
        });
        Ok(())
    }

    /// Walks a part that sees the relations of a scope so far.
    fn within<T>(&mut self, scope: usize, part: impl FnOnce(&mut Self) -> Walked<T>) -> Walked<T> {
        self.scopes.stack.push(scope);
        let walked = part(self)?;
        self.scopes.stack.pop();
        Ok(walked)
    }
}

fn kind_of(operator: &JoinOperator) -> Walked<(Restricts, &JoinConstraint)> {
    use JoinOperator::{CrossJoin, FullOuter, Inner, Join, Left, LeftOuter, Right, RightOuter};
    match operator {
        Join(on) | Inner(on) | CrossJoin(on) => Ok((Restricts::Both, on)),
        Left(on) | LeftOuter(on) => Ok((Restricts::Right, on)),
        Right(on) | RightOuter(on) => Ok((Restricts::Left, on)),
        FullOuter(on) => Ok((Restricts::Neither, on)),
        _ => not_understood(),
    }
}

fn not_understood<T>() -> Walked<T> {
    Err(Doubt::form("a relation or a join has a form that is not understood"))
}
