//! The customers whose rows facts let through.

use cofferdam_core::{Personal, Whose};

use super::facts::{Context, Fact, Node, Side};
use super::known::KnownTable;
use super::{everybody, keys};

/// The most customers that one access names. An access to more counts for everybody.
pub const MAX_NAMES: usize = 1_000;
/// Longer numbers may lose digits if a column between two others is a floating-point number.
const EXACT_DIGITS: usize = 15;

/// The customers whose rows of one factor the facts let through: some by key, others by address.
pub fn whose(
    context: Context<'_>,
    table: &KnownTable,
    place: (usize, usize),
    facts: &[Fact],
) -> Vec<Whose> {
    let rows = Rows::new(context, table, place, facts);
    let unproved = table.through.as_ref().is_some_and(|through| !through.proved);
    let mut reason = if unproved {
        "the catalogue and the log do not prove to whom the rows belong"
    } else {
        "the statement names no customer"
    };
    // A key says more surely than an address whose the rows are.
    for by in [By::Key, By::Linked, By::Email] {
        for fact in facts {
            let Fact::OneOf(node, values) = fact else { continue };
            if rows.named_by(node) != Some(by) {
                continue;
            }
            match rows.names(by, values) {
                Ok(names) if by == By::Email => return vec![Whose::Emails(names)],
                Ok(names) => return vec![Whose::Keys(names)],
                Err(why) => reason = why,
            }
        }
    }
    let either = facts.iter().find_map(|fact| match fact {
        Fact::Either(sides) => rows.either(sides),
        _ => None,
    });
    either.unwrap_or_else(|| vec![everybody(reason)])
}

/// The names that values are, if all of them are names and they are not too many.
pub fn all(values: &[String], name: impl Fn(&str) -> Option<Personal>) -> Option<Vec<Personal>> {
    let few = values.len() <= MAX_NAMES;
    few.then(|| values.iter().map(|value| name(value)).collect()).flatten()
}

/// The way in which a column names the customer of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// It is the customer's key.
    Key,
    /// It equals the key.
    Linked,
    /// It is the customer's e-mail address.
    Email,
}

/// The rows of one factor that facts let through.
struct Rows<'a> {
    context: Context<'a>,
    table: &'a KnownTable,
    place: (usize, usize),
    facts: &'a [Fact],
    /// The places of the rows that have the customer's key. All of them are one row.
    owners: Vec<(usize, usize)>,
    /// The columns that equal the key, by a chain of equal columns.
    linked: Vec<&'a Node>,
}

impl<'a> Rows<'a> {
    fn new(
        context: Context<'a>,
        table: &'a KnownTable,
        place: (usize, usize),
        facts: &'a [Fact],
    ) -> Self {
        let mut rows =
            Self { context, table, place, facts, owners: vec![place], linked: Vec::new() };
        rows.go_to_owner();
        loop {
            let before = rows.linked.len();
            for fact in facts {
                let (Fact::Equal(a, b) | Fact::Same(a, b)) = fact else { continue };
                for (one, other) in [(a, b), (b, a)] {
                    let is_linked = rows.is_key(one) || (rows.linked.contains(&one) && !one.lower);
                    let is_new = !rows.is_key(other) && !rows.linked.contains(&other);
                    if is_linked && !other.lower && is_new {
                        rows.linked.push(other);
                    }
                }
            }
            if rows.linked.len() == before {
                return rows;
            }
        }
    }

    /// Goes to the row with the customer's key, step by step.
    fn go_to_owner(&mut self) {
        let Some(through) = &self.table.through else { return };
        if !through.proved {
            self.owners.clear();
        }
        for step in &through.steps {
            let is_start = |of: &&Node| {
                !of.lower && step.is_from(&of.column) && self.owners.iter().any(|at| is_at(of, *at))
            };
            let starts = self.facts.iter().flat_map(Fact::nodes).filter(is_start);
            let ends = starts.flat_map(|start| self.equal(start)).filter_map(|end| {
                let (scope, factor, column) = end.column()?;
                let table = step.table()?;
                let there = step.is_to(column) && self.context.is_surely(scope, factor, table);
                there.then_some((scope, factor))
            });
            self.owners = ends.collect();
        }
    }

    fn is_key(&self, node: &Node) -> bool {
        let own = self.owners.iter().any(|at| is_at(node, *at));
        own && !node.lower && self.table.is_owners_key(&node.column)
    }

    fn named_by(&self, node: &Node) -> Option<By> {
        if self.is_key(node) {
            Some(By::Key)
        } else if self.linked.contains(&node) {
            Some(By::Linked)
        } else {
            self.is_email(&self.within(node)).then_some(By::Email)
        }
    }

    /// Whether a column is the e-mail address of the row's customer, in the row itself or in the only row
    /// of another table that has the same key. Of several rows, such as orders, one may have an old
    /// address.
    fn is_email(&self, node: &Node) -> bool {
        if is_at(node, self.place) {
            return self.table.is_email(&node.column);
        }
        let Some((scope, factor, column)) = node.column() else { return false };
        let Some(other) = self.context.table_at(scope, factor) else { return false };
        let exact = self.table.has_exact_key && other.has_exact_key;
        let same_key = || {
            let mut keys = self.facts.iter().flat_map(Fact::nodes).filter(|of| self.is_key(of));
            keys.any(|key| {
                let mut equal = self.equal(key).into_iter();
                equal.any(|of| is_at(of, (scope, factor)) && other.is_key(&of.column))
            })
        };
        exact && other.has_unique_key && other.is_email(column) && same_key()
    }

    /// The columns that equal a column, without any other column between but a merged one.
    fn equal(&self, node: &'a Node) -> Vec<&'a Node> {
        let mut equal = self.equal_to(&self.same(vec![node]));
        let merged: Vec<_> =
            equal.iter().copied().filter(|of| self.context.is_merged(of)).collect();
        equal.extend(self.equal_to(&merged));
        self.same(equal)
    }

    fn equal_to(&self, nodes: &[&Node]) -> Vec<&'a Node> {
        let of = |fact: &'a Fact| match fact {
            Fact::Equal(a, b) if nodes.contains(&a) && !b.lower => Some(b),
            Fact::Equal(a, b) if nodes.contains(&b) && !a.lower => Some(a),
            _ => None,
        };
        self.facts.iter().filter_map(of).collect()
    }

    /// Columns together with those of subqueries that are the same.
    fn same(&self, mut nodes: Vec<&'a Node>) -> Vec<&'a Node> {
        let mut at = 0;
        while let Some(node) = nodes.get(at).copied() {
            for fact in self.facts {
                let Fact::Same(a, b) = fact else { continue };
                for (one, other) in [(a, b), (b, a)] {
                    if one == node && !nodes.contains(&other) {
                        nodes.push(other);
                    }
                }
            }
            at += 1;
        }
        nodes
    }

    /// The column that a column of a subquery is, in the innermost subquery that gives it.
    fn within(&self, node: &Node) -> Node {
        let mut column = node.bare();
        // Each step goes into another subquery.
        for _ in self.facts {
            let inner = self.facts.iter().find_map(|fact| match fact {
                Fact::Same(outer, inner) if *outer == column => Some(inner),
                _ => None,
            });
            match inner {
                Some(inner) => column = inner.clone(),
                None => break,
            }
        }
        column
    }

    /// The names that values of a column are; an error says why they are none.
    fn names(&self, by: By, values: &[String]) -> Result<Vec<Personal>, &'static str> {
        if by == By::Email {
            return all(values, keys::email).ok_or("an e-mail address is not in its usual form");
        }
        if !self.table.has_exact_key {
            return Err("the type of the key takes several keys for one");
        }
        let exact = |of: &String| !keys::is_whole_number(of) || of.len() <= EXACT_DIGITS;
        if by == By::Linked && !values.iter().all(exact) {
            return Err("a key is too long for a column between two others");
        }
        all(values, keys::key).ok_or("a key is not in the form in which tables have it")
    }

    /// The customers if one of some sides holds: each must name its own.
    fn either(&self, sides: &[Side]) -> Option<Vec<Whose>> {
        let (mut by_key, mut by_email) = (Vec::new(), Vec::new());
        for side in sides {
            let named = |wanted: By| {
                side.iter()
                    .filter(|(node, _)| self.named_by(node) == Some(wanted))
                    .find_map(|(_, values)| self.names(wanted, values).ok())
            };
            match named(By::Key).or_else(|| named(By::Linked)) {
                Some(names) => by_key.extend(names),
                None => by_email.extend(named(By::Email)?),
            }
        }
        let few = by_key.len() <= MAX_NAMES && by_email.len() <= MAX_NAMES;
        few.then(|| {
            let keys = (!by_key.is_empty()).then_some(Whose::Keys(by_key));
            keys.into_iter()
                .chain((!by_email.is_empty()).then_some(Whose::Emails(by_email)))
                .collect()
        })
    }
}

fn is_at(node: &Node, place: (usize, usize)) -> bool {
    (node.scope, node.factor) == (place.0, Some(place.1))
}
