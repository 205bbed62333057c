//! Finds the customers whose rows a condition can select.

use cofferdam_core::{Personal, Whose};
use sqlparser::ast::{
    BinaryOperator, Expr, JoinConstraint, JoinOperator, TableWithJoins, UnaryOperator, Value,
};

use super::everybody;
use crate::mapping::Table;

/// A range with more values than this counts as everybody.
const MAX_VALUES: usize = 100_000;

/// The context of a condition on a table.
#[derive(Debug, Clone, Copy)]
pub struct Condition<'a> {
    /// The table whose rows are selected.
    pub table: &'a Table,
    /// The parameters of the statement; `None` if they were not logged.
    pub parameters: Option<&'a [String]>,
}

/// A column in a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Column {
    /// The table name or alias before the dot.
    qualifier: Option<String>,
    name: String,
    /// Whether the condition compares `lower(column)`.
    lower: bool,
}

impl Condition<'_> {
    /// The customers whose rows a `WHERE` can select. `from` are the joins around the table, and
    /// `alias` is the table's alias.
    pub fn whose(
        self,
        selection: Option<&Expr>,
        from: &[TableWithJoins],
        alias: Option<&str>,
    ) -> Whose {
        let Some(selection) = selection else {
            return everybody("the statement has no condition");
        };
        let has_joins = from.iter().map(|table| 1 + table.joins.len()).sum::<usize>() > 1;
        let own = |column: &Column| self.is_own(column, alias);
        // `lower(key)` may equal a value that the key does not.
        let is_key = |column: &Column| {
            own(column) && !column.lower && column.name.eq_ignore_ascii_case(&self.table.key)
        };
        if let Some(values) = self.values(selection, &is_key) {
            return Whose::Keys(with_plain_numbers(values));
        }
        let is_email = |column: &Column| {
            let name = self.table.email.as_ref();
            own(column) && name.is_some_and(|name| column.name.eq_ignore_ascii_case(name))
        };
        if let Some(values) = self.values(selection, &is_email) {
            return Whose::Emails(values);
        }
        if has_joins {
            for linked in columns_equal_to_key(selection, from, &is_key) {
                if let Some(values) = self.values(selection, &|column| *column == linked) {
                    return Whose::Keys(with_plain_numbers(values));
                }
            }
        }
        everybody("the condition names no customer")
    }

    /// Whether a column is the table's. A column without a qualifier is the table's if the table
    /// has a column of this name: PostgreSQL refuses a statement in which the name is ambiguous.
    fn is_own(self, column: &Column, alias: Option<&str>) -> bool {
        let bare = self.table.name.rsplit('.').next().unwrap_or_default();
        column
            .qualifier
            .as_deref()
            .is_none_or(|qualifier| qualifier.eq_ignore_ascii_case(alias.unwrap_or(bare)))
    }

    /// All values that the wanted column can have if `expr` holds; `None` if it can have any value.
    fn values(self, expr: &Expr, wanted: &dyn Fn(&Column) -> bool) -> Option<Vec<Personal>> {
        let is_wanted = |expr: &Expr| column(expr).is_some_and(|column| wanted(&column));
        let value = |expr: &Expr| literal(expr, self.parameters);
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
                Some(vec![value(right)?])
            }
            Expr::BinaryOp { left, op: BinaryOperator::Eq, right } if is_wanted(right) => {
                Some(vec![value(left)?])
            }
            Expr::InList { expr, list, negated: false } if is_wanted(expr) => {
                list.iter().map(value).collect()
            }
            Expr::Between { expr, negated: false, low, high } if is_wanted(expr) => {
                // The order of texts depends on the database's collation, so only numbers count.
                let number = |bound: &Expr| match bound {
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
            // An array as a text, such as `{1,2,3}`. Elements with quotes or braces are not parsed.
            _ => {
                let text = literal(expr, self.parameters)?;
                let inner = text.expose().strip_prefix('{')?.strip_suffix('}')?;
                let simple = !inner.contains(['"', '\\', '{']);
                simple.then(|| inner.split(',').map(|value| Personal::new(value.trim())).collect())
            }
        }
    }
}

/// The value of a literal or of a parameter; `None` for any other expression.
pub fn literal(expr: &Expr, parameters: Option<&[String]>) -> Option<Personal> {
    match expr {
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => literal(inner, parameters),
        Expr::TypedString(typed) => literal(&Expr::Value(typed.value.clone()), parameters),
        Expr::UnaryOp { op: UnaryOperator::Plus, expr } => literal(expr, parameters),
        Expr::Value(value) => match &value.value {
            // `7.0` and `7e0` equal 7 too, so only plain digits count as a key.
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

/// The values and, for each number in another spelling, its plain digits: a database takes `'07'`
/// for 7 if the key is a number.
fn with_plain_numbers(values: Vec<Personal>) -> Vec<Personal> {
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

/// The column that an expression is: by itself, cast to a type that keeps its value, or within
/// `lower()`.
fn column(expr: &Expr) -> Option<Column> {
    match expr {
        Expr::Identifier(ident) => {
            Some(Column { qualifier: None, name: ident.value.to_lowercase(), lower: false })
        }
        Expr::CompoundIdentifier(parts) => {
            let mut back = parts.iter().rev().map(|ident| ident.value.to_lowercase());
            let name = back.next()?;
            Some(Column { qualifier: back.next(), name, lower: false })
        }
        Expr::Nested(inner) => column(inner),
        Expr::Cast { expr, data_type, .. } => {
            // Other casts change the value: `email::varchar(3)` cuts the address.
            let kind = data_type.to_string().to_lowercase();
            let keeping =
                ["text", "bigint", "int8", "int", "integer", "uuid", "varchar", "numeric"];
            keeping.contains(&kind.as_str()).then(|| column(expr)).flatten()
        }
        Expr::Function(function) if function.name.to_string().eq_ignore_ascii_case("lower") => {
            let sqlparser::ast::FunctionArguments::List(list) = &function.args else { return None };
            match &list.args[..] {
                [
                    sqlparser::ast::FunctionArg::Unnamed(sqlparser::ast::FunctionArgExpr::Expr(
                        inner,
                    )),
                ] => column(inner).map(|column| Column { lower: true, ..column }),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The columns of joined tables that equal the key, by the condition or by a join.
fn columns_equal_to_key(
    selection: &Expr,
    from: &[TableWithJoins],
    is_key: &dyn Fn(&Column) -> bool,
) -> Vec<Column> {
    let mut found = Vec::new();
    add_equal_columns(selection, is_key, &mut found);
    for join in from.iter().flat_map(|table| &table.joins) {
        use JoinOperator::{FullOuter, Inner, Join, Left, LeftOuter, Right, RightOuter};
        let (Join(on) | Inner(on) | Left(on) | LeftOuter(on) | Right(on) | RightOuter(on)
        | FullOuter(on)) = &join.join_operator
        else {
            continue;
        };
        if let JoinConstraint::On(on) = on {
            add_equal_columns(on, is_key, &mut found);
        }
    }
    found
}

fn add_equal_columns(expr: &Expr, is_key: &dyn Fn(&Column) -> bool, found: &mut Vec<Column>) {
    match expr {
        Expr::Nested(inner) => add_equal_columns(inner, is_key, found),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            add_equal_columns(left, is_key, found);
            add_equal_columns(right, is_key, found);
        }
        Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
            let (Some(left), Some(right)) = (column(left), column(right)) else { return };
            for (side, other) in [(&left, &right), (&right, &left)] {
                // A column without a qualifier may belong to any of the joined tables.
                if is_key(side) && other.qualifier.is_some() {
                    found.push(other.clone());
                }
            }
        }
        _ => {}
    }
}
