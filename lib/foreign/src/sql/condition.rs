//! Whom a condition lets through.

use cofferdam_core::{Personal, Whose};
use sqlparser::ast::{
    BinaryOperator, Expr, JoinConstraint, JoinOperator, TableWithJoins, UnaryOperator, Value,
};

use super::everybody;
use crate::mapping::Table;

/// Values more than this many are taken for everybody.
const MAX_VALUES: usize = 100_000;

/// What is needed to read a condition on a table.
#[derive(Debug, Clone, Copy)]
pub struct Condition<'a> {
    /// The table.
    pub table: &'a Table,
    /// The statement's parameters.
    pub parameters: Option<&'a [String]>,
}

/// A column: what stands before its point, its name, and whether it is taken in small letters.
type Column = (Option<String>, String, bool);

impl Condition<'_> {
    /// Whose rows a `WHERE` lets through, given the joins around the table and its alias.
    pub fn whose(
        self,
        selection: Option<&Expr>,
        from: &[TableWithJoins],
        alias: Option<&str>,
    ) -> Whose {
        let Some(selection) = selection else { return everybody("it has no condition") };
        let alone = from.iter().map(|of| 1 + of.joins.len()).sum::<usize>() <= 1;
        let own = |column: &Column| self.is_own(column, alias);
        // `lower(key)` is another value than the key.
        let key = |column: &Column| {
            own(column) && !column.2 && column.1.eq_ignore_ascii_case(&self.table.key)
        };
        if let Some(values) = self.values(selection, &key) {
            return Whose::Keys(spellings(values));
        }
        let email = |column: &Column| {
            let name = self.table.email.as_ref();
            own(column) && name.is_some_and(|name| column.1.eq_ignore_ascii_case(name))
        };
        if let Some(values) = self.values(selection, &email) {
            return Whose::Emails(values);
        }
        if !alone {
            // A joined table's column that is the same as the key.
            for linked in linked(selection, from, &key) {
                if let Some(values) = self.values(selection, &|column| *column == linked) {
                    return Whose::Keys(spellings(values));
                }
            }
        }
        everybody("its condition names no customer")
    }

    /// Without a name before its point, a column is the table's if it has one of that name: were
    /// there another, the database would have refused the statement.
    fn is_own(self, column: &Column, alias: Option<&str>) -> bool {
        let bare = self.table.name.rsplit('.').next().unwrap_or_default();
        column
            .0
            .as_deref()
            .is_none_or(|qualifier| qualifier.eq_ignore_ascii_case(alias.unwrap_or(bare)))
    }

    /// All values that a column may have where `expr` holds; `None` where it may have any.
    fn values(self, expr: &Expr, wanted: &dyn Fn(&Column) -> bool) -> Option<Vec<Personal>> {
        let is_wanted = |expr: &Expr| column(expr).is_some_and(|column| wanted(&column));
        let one = |expr: &Expr| literal(expr, self.parameters);
        match expr {
            Expr::Nested(inner) => self.values(inner, wanted),
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
                self.values(left, wanted).or_else(|| self.values(right, wanted))
            }
            Expr::BinaryOp { left, op: BinaryOperator::Or, right } => {
                let mut values = self.values(left, wanted)?;
                values.extend(self.values(right, wanted)?);
                Some(values)
            }
            Expr::BinaryOp { left, op: BinaryOperator::Eq, right } if is_wanted(left) => {
                Some(vec![one(right)?])
            }
            Expr::BinaryOp { left, op: BinaryOperator::Eq, right } if is_wanted(right) => {
                Some(vec![one(left)?])
            }
            Expr::InList { expr, list, negated: false } if is_wanted(expr) => {
                list.iter().map(one).collect()
            }
            Expr::Between { expr, negated: false, low, high } if is_wanted(expr) => {
                // Of texts, nobody knows by which order they lie between.
                let number = |of: &Expr| match of {
                    Expr::Value(value) => match &value.value {
                        Value::Number(number, _) => number.parse::<u64>().ok(),
                        _ => None,
                    },
                    _ => None,
                };
                let (low, high) = (number(low)?, number(high)?);
                let few = high.saturating_sub(low) < MAX_VALUES as u64;
                few.then(|| (low..=high).map(|n| Personal::new(n.to_string())).collect())
            }
            Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right, .. } if is_wanted(left) => {
                self.array(right)
            }
            _ => None,
        }
    }

    fn array(self, expr: &Expr) -> Option<Vec<Personal>> {
        match expr {
            Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => self.array(inner),
            Expr::Array(array) => {
                array.elem.iter().map(|value| literal(value, self.parameters)).collect()
            }
            // `{1,2,3}`: quotes and braces within are not worth the trouble.
            _ => {
                let text = literal(expr, self.parameters)?;
                let inner = text.expose().strip_prefix('{')?.strip_suffix('}')?;
                let simple = !inner.contains(['"', '\\', '{']);
                simple.then(|| inner.split(',').map(|value| Personal::new(value.trim())).collect())
            }
        }
    }
}

/// A value that stands there, or is given as a parameter.
pub fn literal(expr: &Expr, parameters: Option<&[String]>) -> Option<Personal> {
    match expr {
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => literal(inner, parameters),
        Expr::TypedString(of) => literal(&Expr::Value(of.value.clone()), parameters),
        Expr::UnaryOp { op: UnaryOperator::Plus, expr } => literal(expr, parameters),
        Expr::Value(value) => match &value.value {
            // `7.0` and `7e0` are 7 as well: only what is written plainly is understood.
            Value::Number(number, _) if number.bytes().all(|b| b.is_ascii_digit()) => {
                Some(Personal::new(number.as_str()))
            }
            Value::SingleQuotedString(text) => Some(Personal::new(text.as_str())),
            Value::Placeholder(name) => {
                let place: usize = name.strip_prefix('$')?.parse().ok()?;
                let value = parameters?.get(place.checked_sub(1)?)?;
                Some(Personal::new(value.as_str()))
            }
            _ => None,
        },
        _ => None,
    }
}

/// The values, and numbers without what a database does not look at: `'07'` may be 7.
fn spellings(values: Vec<Personal>) -> Vec<Personal> {
    let plain = |value: &Personal| {
        let text = value.expose().trim();
        let digits = text.strip_prefix('+').unwrap_or(text);
        let bare = digits.trim_start_matches('0');
        let number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let bare = if bare.is_empty() { "0" } else { bare };
        (number && bare != value.expose()).then(|| Personal::new(bare))
    };
    let more: Vec<_> = values.iter().filter_map(plain).collect();
    values.into_iter().chain(more).collect()
}

/// A column as it is, or in another type; an e-mail address also in small letters.
fn column(expr: &Expr) -> Option<Column> {
    match expr {
        Expr::Identifier(ident) => Some((None, ident.value.to_lowercase(), false)),
        Expr::CompoundIdentifier(parts) => {
            let mut back = parts.iter().rev().map(|ident| ident.value.to_lowercase());
            let name = back.next()?;
            Some((back.next(), name, false))
        }
        Expr::Nested(inner) => column(inner),
        Expr::Cast { expr, data_type, .. } => {
            // `email::varchar(3)` is another value than the e-mail address.
            let kind = data_type.to_string().to_lowercase();
            let same = ["text", "bigint", "int8", "int", "integer", "uuid", "varchar", "numeric"];
            same.contains(&kind.as_str()).then(|| column(expr)).flatten()
        }
        Expr::Function(function) if function.name.to_string().eq_ignore_ascii_case("lower") => {
            let sqlparser::ast::FunctionArguments::List(list) = &function.args else { return None };
            match &list.args[..] {
                [
                    sqlparser::ast::FunctionArg::Unnamed(sqlparser::ast::FunctionArgExpr::Expr(
                        inner,
                    )),
                ] => column(inner).map(|(of, name, _)| (of, name, true)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Columns of joined tables that must be the same as the key: by the condition, or by a join.
fn linked(selection: &Expr, from: &[TableWithJoins], key: &dyn Fn(&Column) -> bool) -> Vec<Column> {
    let mut found = Vec::new();
    equalities(selection, key, &mut found);
    for join in from.iter().flat_map(|of| &of.joins) {
        use JoinOperator::{FullOuter, Inner, Join, Left, LeftOuter, Right, RightOuter};
        let (Join(on) | Inner(on) | Left(on) | LeftOuter(on) | Right(on) | RightOuter(on)
        | FullOuter(on)) = &join.join_operator
        else {
            continue;
        };
        if let JoinConstraint::On(on) = on {
            equalities(on, key, &mut found);
        }
    }
    found
}

fn equalities(expr: &Expr, key: &dyn Fn(&Column) -> bool, found: &mut Vec<Column>) {
    match expr {
        Expr::Nested(inner) => equalities(inner, key, found),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            equalities(left, key, found);
            equalities(right, key, found);
        }
        Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
            let (Some(left), Some(right)) = (column(left), column(right)) else { return };
            for (one, other) in [(&left, &right), (&right, &left)] {
                // Only a column that says whose it is can be followed.
                if key(one) && other.0.is_some() {
                    found.push(other.clone());
                }
            }
        }
        _ => {}
    }
}
