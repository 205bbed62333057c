//! Facts that hold for every row that a condition lets through, and the customers that they name.

use std::collections::BTreeMap;

use cofferdam_core::{Personal, Whose};
use sqlparser::ast::{
    BinaryOperator, CastKind, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
    Value,
};

use super::known::{Known, KnownTable};
use super::names::{Name, folded};
use super::scope::Scopes;
use super::{everybody, keys};

/// The most customers that one access names. An access to more counts for everybody.
const MAX_NAMES: usize = 1_000;
/// Longer numbers may lose digits if a column between two others is a floating-point number.
const EXACT_DIGITS: usize = 15;

/// A column in a condition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Node {
    scope: usize,
    /// The factor of the scope; `None` if it can't be told.
    factor: Option<usize>,
    column: String,
    /// Whether it is `lower(column)`.
    lower: bool,
}

impl Node {
    pub const fn new(scope: usize, factor: Option<usize>, column: String) -> Self {
        Self { scope, factor, column, lower: false }
    }

    /// The scope, the factor and the column, if the factor is known.
    pub fn column(&self) -> Option<(usize, usize, &str)> {
        Some((self.scope, self.factor?, &self.column))
    }

    /// The column as it stands, without `lower`.
    pub fn bare(&self) -> Self {
        Self { lower: false, ..self.clone() }
    }
}

impl Fact {
    /// The columns that the fact is about.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        let (one, other) = match self {
            Self::Equal(one, other) | Self::Same(one, other) => (one, Some(other)),
            Self::OneOf(one, _) => (one, None),
        };
        std::iter::once(one).chain(other)
    }
}

/// A fact about the rows that a condition lets through. No fact holds for a column that is null.
#[derive(Debug, Clone)]
pub enum Fact {
    /// Two columns are equal, in the sense of their types.
    Equal(Node, Node),
    /// A column of a subquery is this column within it, unchanged.
    Same(Node, Node),
    /// A column has one of some values.
    OneOf(Node, Vec<String>),
}

/// The context in which the names of a condition are understood.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub known: &'a Known,
    pub scopes: &'a Scopes,
    pub parameters: keys::Parameters<'a>,
}

impl Context<'_> {
    /// The facts that hold if `condition` does.
    pub fn facts(self, condition: &Expr) -> Vec<Fact> {
        let (mut facts, mut left) = (Vec::new(), vec![condition]);
        while let Some(expr) = left.pop() {
            match expr {
                Expr::Nested(inner) => left.push(inner),
                Expr::BinaryOp { left: a, op: BinaryOperator::And, right: b } => {
                    left.extend([a.as_ref(), b.as_ref()]);
                }
                Expr::BinaryOp { op: BinaryOperator::Or, .. } => facts.extend(self.either(expr)),
                other => facts.extend(self.fact(other)),
            }
        }
        facts
    }

    /// The fact that holds if one of the sides of an `OR` does: each must name values of one column.
    fn either(self, expr: &Expr) -> Option<Fact> {
        let (mut sides, mut left) = (Vec::new(), vec![expr]);
        while let Some(expr) = left.pop() {
            match expr {
                Expr::Nested(inner) => left.push(inner),
                Expr::BinaryOp { left: a, op: BinaryOperator::Or, right: b } => {
                    left.extend([a.as_ref(), b.as_ref()]);
                }
                other => sides.push(self.one_of(other)),
            }
        }
        sides.reverse();
        let (first, rest) = sides.split_first()?;
        first.iter().find_map(|(node, values)| {
            let mut all = values.clone();
            for side in rest {
                all.extend(side.get(node)?.iter().cloned());
            }
            Some(Fact::OneOf(node.clone(), all))
        })
    }

    fn one_of(self, side: &Expr) -> BTreeMap<Node, Vec<String>> {
        let named = |fact| match fact {
            Fact::OneOf(node, values) => Some((node, values)),
            Fact::Equal(..) | Fact::Same(..) => None,
        };
        self.facts(side).into_iter().filter_map(named).collect()
    }

    fn fact(self, expr: &Expr) -> Option<Fact> {
        match expr {
            Expr::BinaryOp { left, op, right } if is_equality(op) => {
                match (self.node(left), self.node(right)) {
                    (Some(a), Some(b)) => Some(Fact::Equal(a, b)),
                    (Some(node), None) => Some(Fact::OneOf(node, vec![self.literal(right)?])),
                    (None, Some(node)) => Some(Fact::OneOf(node, vec![self.literal(left)?])),
                    (None, None) => None,
                }
            }
            Expr::InList { expr, list, negated: false } => {
                let values: Option<Vec<_>> = list.iter().map(|of| self.literal(of)).collect();
                Some(Fact::OneOf(self.node(expr)?, values?))
            }
            Expr::Between { expr, negated: false, low, high } => {
                let (low, high) = (number(low)?, number(high)?);
                let few = high.saturating_sub(low) < MAX_NAMES as u64;
                let values = few.then(|| (low..=high).map(|n| n.to_string()).collect())?;
                Some(Fact::OneOf(self.node(expr)?, values))
            }
            Expr::AnyOp { left, compare_op, right, .. } if is_equality(compare_op) => {
                Some(Fact::OneOf(self.node(left)?, self.array(right)?))
            }
            _ => None,
        }
    }

    fn literal(self, expr: &Expr) -> Option<String> {
        keys::literal(expr, self.parameters)
    }

    fn array(self, expr: &Expr) -> Option<Vec<String>> {
        match expr {
            Expr::Nested(inner) => self.array(inner),
            Expr::Cast {
                kind: CastKind::Cast | CastKind::DoubleColon, expr, data_type, ..
            } => {
                let element = data_type.to_string();
                let element = element.strip_suffix("[]")?;
                let known = [
                    "INT",
                    "INTEGER",
                    "BIGINT",
                    "SMALLINT",
                    "INT4",
                    "INT8",
                    "TEXT",
                    "UUID",
                    "VARCHAR",
                    "CHARACTER VARYING",
                ];
                let keeps = known.iter().any(|of| of.eq_ignore_ascii_case(element));
                keeps.then(|| self.array(expr)).flatten()
            }
            Expr::Array(array) => array.elem.iter().map(|of| self.literal(of)).collect(),
            // An array as a text, such as `{1,2,3}`. Elements with quotes or braces are not parsed.
            _ => {
                let text = self.literal(expr)?;
                let inner = text.strip_prefix('{')?.strip_suffix('}')?;
                let simple = !inner.contains(['"', '\\', '{', '}']);
                simple.then(|| inner.split(',').map(|value| value.trim().to_owned()).collect())
            }
        }
    }

    /// The column that an expression is, if equality with it is equality with the column.
    pub fn node(self, expr: &Expr) -> Option<Node> {
        match expr {
            Expr::Nested(inner) => self.node(inner),
            Expr::Identifier(ident) => self.named(None, folded(ident)),
            Expr::CompoundIdentifier(parts) => {
                let [.., qualifier, column] = &parts[..] else { return None };
                self.named(Some(&folded(qualifier)), folded(column))
            }
            Expr::Cast {
                kind: CastKind::Cast | CastKind::DoubleColon, expr, data_type, ..
            } => keys::type_keeps_keys(&data_type.to_string()).then(|| self.node(expr)).flatten(),
            Expr::Function(function) => {
                let node = self.node(only_argument(function)?)?;
                let lower = Name::of(&function.name)?;
                let builtin =
                    lower.schema.is_none() || lower.schema.as_deref() == Some("pg_catalog");
                (builtin && lower.bare == "lower").then_some(Node { lower: true, ..node })
            }
            _ => None,
        }
    }

    fn named(self, qualifier: Option<&str>, column: String) -> Option<Node> {
        let (scope, factor) = self.scopes.place(self.known, qualifier, &column)?;
        Some(Node { scope, factor, column, lower: false })
    }
}

/// The customers whose rows of one factor the facts let through.
pub fn whose(table: &KnownTable, scope: usize, factor: usize, facts: &[Fact]) -> Whose {
    let own = |node: &Node| (node.scope, node.factor) == (scope, Some(factor));
    let mut reasons = vec!["the statement names no customer"];
    let is_key = |node: &Node| own(node) && !node.lower && table.is_key(&node.column);
    if !table.has_exact_key {
        reasons.push("the type of the key takes several keys for one");
    } else if let Some(values) = values_of_key(facts, is_key) {
        match all(&values, keys::key) {
            Some(names) => return Whose::Keys(names),
            None => reasons.push("a key is not in the form in which tables have it"),
        }
    }
    let is_email = |node: &Node| own(node) && table.is_email(&node.column);
    for fact in facts {
        let Fact::OneOf(node, values) = fact else { continue };
        if is_email(&within(facts, node)) {
            match all(values, keys::email) {
                Some(names) => return Whose::Emails(names),
                None => reasons.push("an e-mail address is not in its usual form"),
            }
        }
    }
    everybody(reasons.last().unwrap_or(&""))
}

/// The column that a column of a subquery is, in the innermost subquery that gives it.
fn within(facts: &[Fact], node: &Node) -> Node {
    let mut column = node.bare();
    // Each step goes into another subquery.
    for _ in facts {
        let inner = facts.iter().find_map(|fact| match fact {
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

/// The names that values are, if all of them are names and they are not too many.
pub fn all(values: &[String], name: impl Fn(&str) -> Option<Personal>) -> Option<Vec<Personal>> {
    let few = values.len() <= MAX_NAMES;
    few.then(|| values.iter().map(|value| name(value)).collect()).flatten()
}

/// The values of a key, by the key itself or by a chain of equal columns.
fn values_of_key(facts: &[Fact], is_key: impl Fn(&Node) -> bool) -> Option<Vec<String>> {
    let direct = facts.iter().find_map(|fact| match fact {
        Fact::OneOf(node, values) if is_key(node) => Some(values.clone()),
        _ => None,
    });
    if direct.is_some() {
        return direct;
    }
    let mut equal: Vec<&Node> = Vec::new();
    loop {
        let before = equal.len();
        for fact in facts {
            let (Fact::Equal(a, b) | Fact::Same(a, b)) = fact else { continue };
            for (one, other) in [(a, b), (b, a)] {
                let linked = is_key(one) || (equal.contains(&one) && !one.lower);
                if linked && !other.lower && !is_key(other) && !equal.contains(&other) {
                    equal.push(other);
                }
            }
        }
        if equal.len() == before {
            break;
        }
    }
    facts.iter().find_map(|fact| match fact {
        Fact::OneOf(node, values) if equal.contains(&node) => {
            let exact = |of: &String| !keys::is_whole_number(of) || of.len() <= EXACT_DIGITS;
            values.iter().all(exact).then(|| values.clone())
        }
        _ => None,
    })
}

fn is_equality(op: &BinaryOperator) -> bool {
    match op {
        BinaryOperator::Eq => true,
        BinaryOperator::PGCustomBinaryOperator(parts) => parts[..] == ["pg_catalog", "="],
        _ => false,
    }
}

/// A plain number. The order of texts depends on the database's collation.
fn number(bound: &Expr) -> Option<u64> {
    match bound {
        Expr::Value(value) => match &value.value {
            Value::Number(number, false) if keys::is_whole_number(number) => number.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

fn only_argument(function: &Function) -> Option<&Expr> {
    let FunctionArguments::List(list) = &function.args else { return None };
    match &list.args[..] {
        [FunctionArg::Unnamed(FunctionArgExpr::Expr(inner))] if function.over.is_none() => {
            Some(inner)
        }
        _ => None,
    }
}
