//! The walk through expressions: which columns each reads, and whether all of it is understood.

use sqlparser::ast::{
    AccessExpr, BinaryOperator, CastKind, DuplicateTreatment, Expr, Function, FunctionArg,
    FunctionArgExpr, FunctionArgumentClause, FunctionArguments, ObjectName, Subscript,
    UnaryOperator, Value, WindowFrameBound, WindowSpec, WindowType,
};

use super::{Rows, Walk, Walked};
use crate::sql::names::{Name, folded};
use crate::sql::{Doubt, functions, keys};

/// Types of PostgreSQL and of its usual extensions, to which a cast runs no function of the shop.
const TYPES: &[&str] = &[
    "bigint",
    "bigserial",
    "boolean",
    "bool",
    "bytea",
    "char",
    "character",
    "character varying",
    "cidr",
    "citext",
    "date",
    "decimal",
    "double precision",
    "float",
    "float4",
    "float8",
    "hstore",
    "inet",
    "int",
    "int2",
    "int4",
    "int8",
    "integer",
    "interval",
    "json",
    "jsonb",
    "jsonpath",
    "ltree",
    "macaddr",
    "money",
    "name",
    "numeric",
    "oid",
    "real",
    "regclass",
    "regproc",
    "regtype",
    "smallint",
    "text",
    "time",
    "time with time zone",
    "time without time zone",
    "timestamp",
    "timestamp with time zone",
    "timestamp without time zone",
    "timestamptz",
    "timetz",
    "tsquery",
    "tsvector",
    "uuid",
    "varchar",
    "vector",
];

impl Walk<'_> {
    pub(super) fn exprs(&mut self, exprs: &[Expr], rows: Rows) -> Walked {
        exprs.iter().try_for_each(|expr| self.expr(expr, rows))
    }

    /// Walks an expression. One that is computed for any row must not fail for some of them: the
    /// failure would tell about a row that the condition leaves out.
    pub(super) fn expr(&mut self, expr: &Expr, rows: Rows) -> Walked {
        // A chain of operators leans to the left, so it is followed in a loop.
        let mut left = expr;
        while let Expr::BinaryOp { left: next, op, right } = left {
            let total = is_total(op)?;
            self.guarded(rows, total, |walk| walk.expr(right, rows))?;
            if !total {
                return self.guarded(rows, false, |walk| walk.expr(next, rows));
            }
            left = next;
        }
        self.single(left, rows)
    }

    fn single(&mut self, expr: &Expr, rows: Rows) -> Walked {
        match expr {
            Expr::Identifier(ident) => {
                self.scopes.read_bare(self.known, &folded(ident));
                Ok(())
            }
            Expr::CompoundIdentifier(parts) => {
                let [.., qualifier, column] = &parts[..] else { return not_understood() };
                self.scopes.read_qualified(self.known, &folded(qualifier), &folded(column))?;
                Ok(())
            }
            Expr::Value(value) => plain(&value.value),
            Expr::TypedString(typed) => {
                plain(&typed.value.value)?;
                known_type(&typed.data_type.to_string())
            }
            Expr::Interval(interval) => self.expr(&interval.value, rows),
            Expr::Nested(inner)
            | Expr::IsFalse(inner)
            | Expr::IsNotFalse(inner)
            | Expr::IsTrue(inner)
            | Expr::IsNotTrue(inner)
            | Expr::IsNull(inner)
            | Expr::IsNotNull(inner)
            | Expr::IsUnknown(inner)
            | Expr::IsNotUnknown(inner)
            | Expr::Collate { expr: inner, .. } => self.expr(inner, rows),
            Expr::IsDistinctFrom(a, b) | Expr::IsNotDistinctFrom(a, b) => {
                self.expr(a, rows)?;
                self.expr(b, rows)
            }
            Expr::Between { expr, low, high, .. } => {
                [expr, low, high].into_iter().try_for_each(|part| self.expr(part, rows))
            }
            Expr::UnaryOp { op, expr } => {
                let total = match op {
                    UnaryOperator::Not => true,
                    UnaryOperator::Plus | UnaryOperator::Minus => false,
                    _ => return not_understood(),
                };
                self.guarded(rows, total, |walk| walk.expr(expr, rows))
            }
            Expr::Tuple(parts) => self.exprs(parts, rows),
            Expr::Array(array) => self.exprs(&array.elem, rows),
            Expr::Case { operand, conditions, else_result, .. } => {
                let parts = operand.iter().chain(else_result).map(AsRef::as_ref);
                let when = conditions.iter().flat_map(|when| [&when.condition, &when.result]);
                parts.chain(when).try_for_each(|part| self.expr(part, rows))
            }
            Expr::InList { expr, list, .. } => {
                self.expr(expr, rows)?;
                self.exprs(list, rows)
            }
            _ => self.compound(expr, rows),
        }
    }

    /// Subqueries, patterns and calls.
    fn compound(&mut self, expr: &Expr, rows: Rows) -> Walked {
        match expr {
            Expr::InSubquery { expr, subquery, .. } => {
                self.expr(expr, rows)?;
                self.query(subquery, Rows::Any).map(drop)
            }
            Expr::Exists { subquery, .. } => self.query(subquery, Rows::Any).map(drop),
            // It fails if it finds two rows.
            Expr::Subquery(subquery) => {
                self.guarded(rows, false, |walk| walk.query(subquery, rows).map(drop))
            }
            Expr::AnyOp { left, compare_op, right, .. }
            | Expr::AllOp { left, compare_op, right } => {
                let total = is_total(compare_op)?;
                self.guarded(rows, total, |walk| {
                    walk.expr(left, rows)?;
                    match right.as_ref() {
                        Expr::Subquery(subquery) => walk.query(subquery, Rows::Any).map(drop),
                        other => walk.expr(other, rows),
                    }
                })
            }
            Expr::Like { any: false, expr, pattern, escape_char, .. }
            | Expr::ILike { any: false, expr, pattern, escape_char, .. } => {
                // A pattern that ends in the escape character fails.
                let total = escape_char.is_none()
                    && keys::literal(pattern, self.parameters).is_some_and(|p| !p.ends_with('\\'));
                self.guarded(rows, total, |walk| {
                    walk.expr(expr, rows)?;
                    walk.expr(pattern, rows)
                })
            }
            Expr::SimilarTo { expr, pattern, escape_char: None, .. } => {
                self.guarded(rows, false, |walk| {
                    walk.expr(expr, rows)?;
                    walk.expr(pattern, rows)
                })
            }
            Expr::CompoundFieldAccess { root, access_chain } => self.guarded(rows, false, |walk| {
                walk.expr(root, rows)?;
                access_chain.iter().try_for_each(|access| walk.access(access, rows))
            }),
            Expr::Rollup(sets) | Expr::Cube(sets) | Expr::GroupingSets(sets) => {
                sets.iter().try_for_each(|set| self.exprs(set, rows))
            }
            Expr::Function(function) => self.function(function, rows),
            Expr::QualifiedWildcard(name, _) => self.row(name),
            Expr::Wildcard(_) => {
                self.scopes.read_all(self.known);
                Ok(())
            }
            _ => self.converted(expr, rows),
        }
    }

    /// Casts, and functions with a syntax of their own.
    fn converted(&mut self, expr: &Expr, rows: Rows) -> Walked {
        match expr {
            Expr::Cast {
                kind: CastKind::Cast | CastKind::DoubleColon,
                expr,
                data_type,
                format: None,
            } => {
                let name = data_type.to_string();
                known_type(&name)?;
                self.guarded(rows, keys::type_keeps_keys(&name), |walk| walk.expr(expr, rows))
            }
            Expr::AtTimeZone { timestamp, time_zone } => self.guarded(rows, false, |walk| {
                walk.expr(timestamp, rows)?;
                walk.expr(time_zone, rows)
            }),
            Expr::Extract { expr, .. } | Expr::Ceil { expr, .. } | Expr::Floor { expr, .. } => {
                self.guarded(rows, false, |walk| walk.expr(expr, rows))
            }
            Expr::Position { expr, r#in } => {
                self.expr(expr, rows)?;
                self.expr(r#in, rows)
            }
            Expr::Substring { expr, substring_from, substring_for, .. } => {
                self.guarded(rows, false, |walk| {
                    walk.expr(expr, rows)?;
                    let more = substring_from.iter().chain(substring_for);
                    more.map(AsRef::as_ref).try_for_each(|part| walk.expr(part, rows))
                })
            }
            Expr::Trim { trim_what, expr, trim_characters, .. } => {
                self.expr(expr, rows)?;
                trim_what.iter().try_for_each(|what| self.expr(what, rows))?;
                trim_characters.iter().try_for_each(|all| self.exprs(all, rows))
            }
            _ => not_understood(),
        }
    }

    fn access(&mut self, access: &AccessExpr, rows: Rows) -> Walked {
        match access {
            AccessExpr::Dot(Expr::Identifier(_)) => Ok(()),
            AccessExpr::Subscript(Subscript::Index { index }) => self.expr(index, rows),
            _ => not_understood(),
        }
    }

    /// Reads a whole row, as in `c.*`.
    pub(super) fn row(&mut self, name: &ObjectName) -> Walked {
        let Some(name) = Name::of(name) else { return not_understood() };
        self.scopes.read_row(self.known, &name.bare)?;
        Ok(())
    }

    /// Walks a part that may fail if `total` is false. If it then reads fields of any row, no
    /// condition narrows the statement.
    pub(super) fn guarded(
        &mut self,
        rows: Rows,
        total: bool,
        part: impl FnOnce(&mut Self) -> Walked,
    ) -> Walked {
        let before = self.scopes.added;
        part(self)?;
        self.leaked |= rows == Rows::Any && !total && self.scopes.added > before;
        Ok(())
    }

    /// The name of a function that touches neither tables nor files.
    pub(super) fn harmless_function(&self, name: &ObjectName) -> Walked<String> {
        let unknown =
            || Doubt::anyone("the statement calls a function that the mapping does not list");
        let name = Name::of(name).ok_or_else(unknown)?;
        if self.known.is_harmless(&name) { Ok(name.bare) } else { Err(unknown()) }
    }

    fn function(&mut self, function: &Function, rows: Rows) -> Walked {
        let Function {
            name,
            uses_odbc_syntax: false,
            parameters: FunctionArguments::None,
            args,
            within_group,
            filter,
            null_treatment: _,
            over,
        } = function
        else {
            return not_understood();
        };
        let bare = self.harmless_function(name)?;
        let total = functions::is_total(&bare) && over.is_none() && filter.is_none();
        self.guarded(rows, total, |walk| {
            walk.arguments(&bare, args, rows)?;
            within_group.iter().try_for_each(|by| walk.expr(&by.expr, rows))?;
            filter.iter().try_for_each(|filter| walk.expr(filter, rows))?;
            match over {
                None | Some(WindowType::NamedWindow(_)) => Ok(()),
                Some(WindowType::WindowSpec(spec)) => walk.window(spec, rows),
            }
        })
    }

    fn arguments(&mut self, function: &str, args: &FunctionArguments, rows: Rows) -> Walked {
        let list = match args {
            FunctionArguments::None => return Ok(()),
            FunctionArguments::Subquery(query) => return self.query(query, Rows::Any).map(drop),
            FunctionArguments::List(list) => list,
        };
        let _: Option<DuplicateTreatment> = list.duplicate_treatment;
        for clause in &list.clauses {
            match clause {
                FunctionArgumentClause::OrderBy(order) => {
                    order.iter().try_for_each(|by| self.expr(&by.expr, rows))?;
                }
                _ => return not_understood(),
            }
        }
        if function == "count"
            && matches!(list.args[..], [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)])
        {
            return Ok(());
        }
        list.args.iter().try_for_each(|arg| self.argument(arg, rows))
    }

    pub(super) fn argument(&mut self, arg: &FunctionArg, rows: Rows) -> Walked {
        let (FunctionArg::Named { arg, .. } | FunctionArg::Unnamed(arg)) = arg else {
            return not_understood();
        };
        match arg {
            FunctionArgExpr::Expr(expr) => self.expr(expr, rows),
            FunctionArgExpr::QualifiedWildcard(name) => self.row(name),
            FunctionArgExpr::Wildcard | FunctionArgExpr::WildcardWithOptions(_) => {
                self.scopes.read_all(self.known);
                Ok(())
            }
        }
    }

    pub(super) fn window(&mut self, spec: &WindowSpec, rows: Rows) -> Walked {
        self.exprs(&spec.partition_by, rows)?;
        spec.order_by.iter().try_for_each(|by| self.expr(&by.expr, rows))?;
        let Some(frame) = &spec.window_frame else { return Ok(()) };
        for bound in std::iter::once(&frame.start_bound).chain(&frame.end_bound) {
            match bound {
                WindowFrameBound::CurrentRow
                | WindowFrameBound::Preceding(None)
                | WindowFrameBound::Following(None) => {}
                WindowFrameBound::Preceding(Some(expr))
                | WindowFrameBound::Following(Some(expr)) => self.expr(expr, rows)?,
            }
        }
        Ok(())
    }
}

fn not_understood<T>() -> Walked<T> {
    Err(Doubt::form("an expression has a form that is not understood"))
}

fn plain(value: &Value) -> Walked {
    match value {
        Value::Number(..)
        | Value::SingleQuotedString(_)
        | Value::EscapedStringLiteral(_)
        | Value::DollarQuotedString(_)
        | Value::Boolean(_)
        | Value::Null
        | Value::Placeholder(_) => Ok(()),
        _ => not_understood(),
    }
}

fn known_type(name: &str) -> Walked {
    let name = name.to_ascii_lowercase();
    let element = name.trim_end_matches("[]");
    // `TIMESTAMP(3) WITH TIME ZONE` has its precision in the middle.
    let mut bare = element.split('(').next().unwrap_or_default().trim_end().to_owned();
    if let Some((_, rest)) = element.split_once(')') {
        bare.push_str(rest);
    }
    if TYPES.contains(&bare.as_str()) {
        Ok(())
    } else {
        Err(Doubt::anyone("the statement casts to a type that is not PostgreSQL's"))
    }
}

/// Whether an operator gives a result for every value; an error if it is not one of PostgreSQL's.
fn is_total(op: &BinaryOperator) -> Walked<bool> {
    use BinaryOperator::{
        And, Arrow, ArrowAt, AtArrow, AtAt, AtQuestion, BitwiseAnd, BitwiseOr, Divide, Eq, Gt,
        GtEq, HashArrow, HashLongArrow, HashMinus, LongArrow, Lt, LtEq, Minus, Modulo, Multiply,
        NotEq, Or, Overlaps, PGCustomBinaryOperator, PGExp, PGILikeMatch, PGLikeMatch,
        PGNotILikeMatch, PGNotLikeMatch, PGOverlap, PGRegexIMatch, PGRegexMatch, PGRegexNotIMatch,
        PGRegexNotMatch, PGStartsWith, Plus, Question, QuestionAnd, QuestionPipe, StringConcat,
    };
    match op {
        And | Or | Eq | NotEq | Gt | GtEq | Lt | LtEq | StringConcat | PGStartsWith => Ok(true),
        PGCustomBinaryOperator(parts) => {
            let own = matches!(&parts[..], [schema, op] if schema == "pg_catalog"
                && ["=", "<>", "<", ">", "<=", ">="].contains(&op.as_str()));
            if own {
                Ok(true)
            } else {
                Err(Doubt::anyone("the statement uses an unknown operator"))
            }
        }
        Arrow | LongArrow | HashArrow | HashLongArrow | HashMinus | AtArrow | ArrowAt | AtAt
        | AtQuestion | BitwiseAnd | BitwiseOr | Divide | Minus | Modulo | Multiply | Overlaps
        | PGExp | PGILikeMatch | PGLikeMatch | PGNotILikeMatch | PGNotLikeMatch | PGOverlap
        | PGRegexIMatch | PGRegexMatch | PGRegexNotIMatch | PGRegexNotMatch | Plus | Question
        | QuestionAnd | QuestionPipe => Ok(false),
        _ => Err(Doubt::anyone("the statement uses an unknown operator")),
    }
}
