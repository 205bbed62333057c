//! Facts that hold for every row that a condition lets through.

use std::collections::BTreeMap;

use sqlparser::ast::{
    BinaryOperator, CastKind, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
    Value,
};

use super::keys;
use super::known::{Known, KnownTable};
use super::names::{Name, folded};
use super::scope::Scopes;
use super::whose::MAX_NAMES;
use crate::catalogue::Qualified;

/// A column in a condition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Node {
    pub scope: usize,
    /// The factor of the scope; `None` if it can't be told.
    pub factor: Option<usize>,
    pub column: String,
    /// Whether it is `lower(column)`.
    pub lower: bool,
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
    pub fn nodes(&self) -> Vec<&Node> {
        match self {
            Self::Equal(one, other) | Self::Same(one, other) => vec![one, other],
            Self::OneOf(one, _) => vec![one],
            Self::Either(sides) => sides.iter().flat_map(BTreeMap::keys).collect(),
        }
    }
}

/// Columns of which each has one of some values.
pub type Side = BTreeMap<Node, Vec<String>>;

/// A fact about the rows that a condition lets through. No fact holds for a column that is null.
#[derive(Debug, Clone)]
pub enum Fact {
    /// Two columns are equal, in the sense of their types.
    Equal(Node, Node),
    /// A column of a subquery is this column within it, unchanged.
    Same(Node, Node),
    /// A column has one of some values.
    OneOf(Node, Vec<String>),
    /// One of these sides holds.
    Either(Vec<Side>),
}

/// The context in which the names of a condition are understood.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub known: &'a Known,
    pub scopes: &'a Scopes,
    pub parameters: keys::Parameters<'a>,
}

impl<'a> Context<'a> {
    /// The table with customers' data that a factor of a scope is.
    pub fn table_at(self, scope: usize, factor: usize) -> Option<&'a KnownTable> {
        let used = self.scopes.all[scope].factors[factor].used?;
        self.known.tables.get(self.scopes.uses[used].table)
    }

    /// Whether a factor of a scope is surely a relation of the catalogue.
    pub fn is_surely(self, scope: usize, factor: usize, relation: &Qualified) -> bool {
        let origin = self.scopes.all[scope].factors[factor].origin.as_ref();
        origin.is_some_and(|name| self.known.is_surely(name, relation))
    }

    /// Whether a column is one that a `USING` merges.
    pub fn is_merged(self, node: &Node) -> bool {
        node.factor.is_none() && self.scopes.all[node.scope].merged.contains(&node.column)
    }

    /// The facts that hold if `condition` does.
    pub fn facts(self, condition: &Expr) -> Vec<Fact> {
        let (mut facts, mut left) = (Vec::new(), vec![condition]);
        let mut bounds = Bounds::default();
        while let Some(expr) = left.pop() {
            match expr {
                Expr::Nested(inner) => left.push(inner),
                Expr::BinaryOp { left: a, op: BinaryOperator::And, right: b } => {
                    left.extend([a.as_ref(), b.as_ref()]);
                }
                Expr::BinaryOp { op: BinaryOperator::Or, .. } => facts.extend(self.either(expr)),
                Expr::BinaryOp { left: a, op, right: b } if is_equality(op) => {
                    self.equal(a, b, &mut facts);
                }
                Expr::BinaryOp { left: a, op, right: b } => self.bound(a, op, b, &mut bounds),
                other => facts.extend(self.fact(other)),
            }
        }
        facts.extend(bounds.facts());
        facts
    }

    /// The fact that holds if one of the sides of an `OR` does: each must name values of a column.
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
        let of_one_column = first.iter().find_map(|(node, values)| {
            let mut all = values.clone();
            for side in rest {
                all.extend(side.get(node)?.iter().cloned());
            }
            Some(Fact::OneOf(node.clone(), all))
        });
        let named = sides.iter().all(|side| !side.is_empty());
        of_one_column.or_else(|| named.then_some(Fact::Either(sides)))
    }

    fn one_of(self, side: &Expr) -> Side {
        let named = |fact| match fact {
            Fact::OneOf(node, values) => Some((node, values)),
            Fact::Equal(..) | Fact::Same(..) | Fact::Either(_) => None,
        };
        self.facts(side).into_iter().filter_map(named).collect()
    }

    /// Adds the facts of an equality. Rows are equal if each of their parts is.
    fn equal(self, left: &Expr, right: &Expr, facts: &mut Vec<Fact>) {
        if let (Expr::Tuple(left), Expr::Tuple(right)) = (left, right) {
            if left.len() == right.len() {
                left.iter().zip(right).for_each(|(a, b)| self.equal(a, b, facts));
            }
            return;
        }
        facts.extend(match (self.node(left), self.node(right)) {
            (Some(a), Some(b)) => Some(Fact::Equal(a, b)),
            (Some(node), None) => self.literal(right).map(|value| Fact::OneOf(node, vec![value])),
            (None, Some(node)) => self.literal(left).map(|value| Fact::OneOf(node, vec![value])),
            (None, None) => None,
        });
    }

    /// Notes the bound that a comparison with a plain number sets.
    fn bound(self, left: &Expr, op: &BinaryOperator, right: &Expr, bounds: &mut Bounds) {
        use BinaryOperator::{Gt, GtEq, Lt, LtEq};
        let turned = |op: &BinaryOperator| match op {
            Gt => Some(Lt),
            GtEq => Some(LtEq),
            Lt => Some(Gt),
            LtEq => Some(GtEq),
            _ => None,
        };
        let plain = self.node(left).zip(number(right)).map(|found| (found, Some(op.clone())));
        let reversed = || self.node(right).zip(number(left)).map(|found| (found, turned(op)));
        let Some(((node, value), Some(op))) = plain.or_else(reversed) else { return };
        match op {
            Gt => bounds.low.insert(node, value.saturating_add(1)),
            GtEq => bounds.low.insert(node, value),
            Lt => bounds.high.insert(node, value),
            LtEq => bounds.high.insert(node, value.saturating_add(1)),
            _ => None,
        };
    }

    fn fact(self, expr: &Expr) -> Option<Fact> {
        match expr {
            // A parameter may be null, which nothing but this comparison equals.
            Expr::IsNotDistinctFrom(left, right) => {
                let (node, value) = match self.node(left) {
                    Some(node) => (node, keys::literal(right, None)?),
                    None => (self.node(right)?, keys::literal(left, None)?),
                };
                Some(Fact::OneOf(node, vec![value]))
            }
            Expr::InList { expr, list, negated: false } => {
                Some(Fact::OneOf(self.node(expr)?, self.literals(list)?))
            }
            Expr::Between { expr, negated: false, low, high } => Some(Fact::OneOf(
                self.node(expr)?,
                few(number(low)?, number(high)?.checked_add(1)?)?,
            )),
            Expr::AnyOp { left, compare_op, right, .. } if is_equality(compare_op) => {
                Some(Fact::OneOf(self.node(left)?, self.array(right)?))
            }
            _ => None,
        }
    }

    /// The values of a list. Nothing equals null.
    fn literals(self, list: &[Expr]) -> Option<Vec<String>> {
        list.iter().filter(|of| !is_null(of)).map(|of| self.literal(of)).collect()
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
            Expr::Array(array) => self.literals(&array.elem),
            // An array as a text, such as `{1,2,3}`. Elements with quotes or braces are not parsed.
            _ => {
                let text = self.literal(expr)?;
                let inner = text.strip_prefix('{')?.strip_suffix('}')?;
                let simple = !inner.contains(['"', '\\', '{', '}']);
                let values = || inner.split(',').map(str::trim);
                // Without quotes, it is null and no text.
                let some = |value: &&str| !value.eq_ignore_ascii_case("null");
                simple.then(|| values().filter(some).map(str::to_owned).collect())
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

/// The bounds that comparisons with numbers set: the lowest number, and the first one that is too high.
#[derive(Default)]
struct Bounds {
    low: BTreeMap<Node, u64>,
    high: BTreeMap<Node, u64>,
}

impl Bounds {
    fn facts(self) -> impl Iterator<Item = Fact> {
        let Self { low, mut high } = self;
        let both =
            move |(node, low)| Some((high.remove(&node).and_then(|high| few(low, high))?, node));
        low.into_iter().filter_map(both).map(|(values, node)| Fact::OneOf(node, values))
    }
}

/// The numbers from one on up to, but without, another; `None` if they are too many.
fn few(low: u64, end: u64) -> Option<Vec<String>> {
    let few = end.saturating_sub(low) <= MAX_NAMES as u64;
    few.then(|| (low..end).map(|n| n.to_string()).collect())
}

fn is_null(expr: &Expr) -> bool {
    matches!(expr, Expr::Value(value) if matches!(value.value, Value::Null))
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
