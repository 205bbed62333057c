//! Walks a statement as a whole. Each form that is understood is listed; any other ends the walk,
//! and the statement then counts for everybody.

mod chosen;
mod expr;
mod from;
mod inner;
mod query;
mod view;
mod write;

use std::collections::BTreeSet;
use std::ops::Range;

use cofferdam_core::{FieldSet, Operation, Whose};
use sqlparser::ast::{
    CopySource, CreateTable, DeclareType, Expr, Ident, ObjectName, Statement, Value,
};

use super::facts::{Context, Fact};
use super::known::{Known, Relation};
use super::names::{Name, folded};
use super::scope::{NotInView, Scopes};
use super::{Doubt, Found, everybody, keys, whose};
pub use inner::Inner;

pub use view::walk_view;

/// The reason why a condition that may fail narrows nothing.
const LEAKED: &str = "a condition can fail for a row that it leaves out";

/// Customers' data of one table that statements touched.
#[derive(Debug, Clone)]
pub struct Touched {
    /// The table's place in [`Known::tables`].
    pub table: usize,
    pub found: Found,
}

/// The result of a walk that came to its end.
#[derive(Debug, Clone, Default)]
pub struct Understood {
    pub touched: Vec<Touched>,
    /// The tables with customers' data that the statements name, also through views.
    pub named: BTreeSet<usize>,
    /// The views that the statements read.
    pub views: BTreeSet<usize>,
}

/// Walks all statements of a text. Servers log a text with several statements once for each of them,
/// so a line may be about any.
pub fn walk(
    known: &Known,
    statements: &[Statement],
    parameters: keys::Parameters<'_>,
    object: Option<&Name>,
) -> Result<Understood, Doubt> {
    let mut understood = Understood::default();
    let mut prepared = Vec::new();
    for statement in statements {
        let statement = match statement {
            Statement::Prepare { name, statement, .. } => {
                prepared.push(folded(name));
                statement
            }
            Statement::Execute { name: Some(name), .. }
                if Name::of(name).is_some_and(|name| prepared.contains(&name.bare)) =>
            {
                continue;
            }
            other => other,
        };
        let mut walk = Walk::new(known, parameters, object);
        walk.statement(statement)?;
        let done = walk.finish();
        understood.touched.extend(done.touched);
        understood.named.extend(done.named);
        understood.views.extend(done.views);
    }
    Ok(understood)
}

/// A walk through one statement.
struct Walk<'a> {
    known: &'a Known,
    parameters: keys::Parameters<'a>,
    /// The relation of the statement that the log's line is about. There is a line for each.
    object: Option<&'a Name>,
    scopes: Scopes,
    /// The common table expressions in view, the innermost last.
    common: Vec<Common>,
    /// Facts about the rows around a subquery that the statement lets through.
    around: Vec<Fact>,
    /// The knowledge about the rows of each use whose condition has been read.
    narrowed: Vec<Narrowed>,
    touched: Vec<Touched>,
    named: BTreeSet<usize>,
    /// The views that the walk went into.
    views: Vec<usize>,
    /// Whether a condition may fail for a row that it leaves out.
    leaked: bool,
}

/// A common table expression (`WITH`) and its columns.
struct Common {
    name: String,
    columns: Vec<String>,
    /// Its query, until a relation of the statement is it.
    inner: Option<Inner>,
    /// The uses within, if a condition around it may hold for their rows.
    uses: Range<usize>,
}

/// The rows of a use that the statement lets through.
struct Narrowed {
    used: usize,
    scope: usize,
    place: usize,
    facts: Vec<Fact>,
    /// Facts of the queries around the subquery in which the use is.
    around: Vec<Fact>,
    /// Whether the subquery stands in several places, so that no fact around one of them holds.
    repeated: bool,
    /// The customers, if they are known without facts.
    named: Option<Whose>,
}

/// The rows for which an expression is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rows {
    /// Any row of the tables.
    Any,
    /// Rows that the condition lets through.
    Chosen,
}

type Walked<T = ()> = Result<T, Doubt>;

impl<'a> Walk<'a> {
    fn new(known: &'a Known, parameters: keys::Parameters<'a>, object: Option<&'a Name>) -> Self {
        Self {
            known,
            parameters,
            object,
            scopes: Scopes::default(),
            common: Vec::new(),
            around: Vec::new(),
            narrowed: Vec::new(),
            touched: Vec::new(),
            named: BTreeSet::new(),
            views: Vec::new(),
            leaked: false,
        }
    }

    fn statement(&mut self, statement: &Statement) -> Walked {
        match statement {
            Statement::Query(query) => self.query(query, Rows::Chosen).map(drop),
            Statement::Insert(insert) => self.insert(insert).map(drop),
            Statement::Update(update) => self.update(update).map(drop),
            Statement::Delete(delete) => self.delete(delete).map(drop),
            Statement::Copy { source, to, .. } => self.copy(source, *to),
            Statement::CreateTable(create) => self.create_table(create),
            Statement::CreateView(view) if view.materialized => {
                self.query(&view.query, Rows::Chosen).map(drop)
            }
            Statement::Declare { stmts } => {
                for declared in stmts {
                    match (&declared.declare_type, &declared.for_query) {
                        (Some(DeclareType::Cursor), Some(query)) => {
                            self.query(query, Rows::Chosen)?;
                        }
                        _ => return Err(Doubt::form("the statement declares something unknown")),
                    }
                }
                Ok(())
            }
            other if reads_nothing(other) => Ok(()),
            Statement::Execute { .. } => {
                Err(Doubt::form("the statement runs one that was prepared before"))
            }
            Statement::Fetch { .. } => {
                Err(Doubt::form("the statement reads a cursor that was opened before"))
            }
            _ => Err(Doubt::form("the statement has a form that is not understood")),
        }
    }

    fn create_table(&mut self, create: &CreateTable) -> Walked {
        match &create.query {
            Some(query) => self.query(query, Rows::Chosen).map(drop),
            None => Ok(()),
        }
    }

    fn copy(&mut self, source: &CopySource, out: bool) -> Walked {
        let (name, columns) = match source {
            CopySource::Query(query) if out => return self.query(query, Rows::Chosen).map(drop),
            CopySource::Query(_) => return Err(Doubt::form("the statement copies into a query")),
            CopySource::Table { table_name, columns } => (table_name, columns),
        };
        let Some(table) = self.relation(name)? else { return Ok(()) };
        let fields = self.fields_of_columns(table, columns);
        let operation = if out { Operation::Release } else { Operation::Seal };
        self.touch(table, operation, fields, everybody("the statement copies a whole table"));
        Ok(())
    }

    /// The fields of a list of columns; an empty list stands for all columns.
    fn fields_of_columns(&self, table: usize, columns: &[Ident]) -> FieldSet {
        let table = &self.known.tables[table];
        if columns.is_empty() {
            return table.all;
        }
        let of = |column: &Ident| table.fields_of(&folded(column));
        columns.iter().map(of).fold(FieldSet::EMPTY, FieldSet::union)
    }

    fn touch(&mut self, table: usize, operation: Operation, fields: FieldSet, whose: Whose) {
        if !fields.is_empty() {
            self.touched.push(Touched { table, found: Found { operation, fields, whose } });
        }
    }

    /// The table with customers' data that a name means; `None` for a relation without any.
    fn relation(&mut self, name: &ObjectName) -> Walked<Option<usize>> {
        let computed = || Doubt::anyone("the statement computes the name of a relation");
        let name = Name::of(name).ok_or_else(computed)?;
        match self.meaning(&name) {
            Relation::Table(table) => {
                self.named.insert(table);
                Ok(Some(table))
            }
            Relation::Harmless => Ok(None),
            Relation::View(_) => Err(Doubt::form("the statement writes through a view")),
            // Each relation of the statement has a line of its own, which names its schema.
            Relation::Ambiguous if self.object.is_some() => {
                Err(Doubt::form("several relations have the name that the statement uses"))
            }
            Relation::Ambiguous | Relation::Unknown => Err(Doubt::unlisted(&name)),
        }
    }

    /// The meaning of a name. One without a schema may be the relation that the line is about.
    fn meaning(&self, name: &Name) -> Relation {
        match self.known.relation(name) {
            Relation::Ambiguous => match self.object {
                Some(object) if object.may_be(name) => self.known.relation(object),
                _ => Relation::Ambiguous,
            },
            other => other,
        }
    }

    fn facts(&self, condition: Option<&Expr>) -> Vec<Fact> {
        condition.map(|condition| self.context().facts(condition)).unwrap_or_default()
    }

    const fn context(&self) -> Context<'_> {
        let Self { known, scopes, parameters, .. } = self;
        Context { known, scopes, parameters: *parameters }
    }

    /// Notes the customers of the uses in a scope. `condition` are the facts of its condition, and
    /// `joined` those of its joins, each for the factors that it restricts.
    fn narrow(&mut self, scope: usize, condition: &[Fact], joined: &[from::Joined]) {
        for place in 0..self.scopes.all[scope].factors.len() {
            let mut facts = condition.to_vec();
            facts.extend_from_slice(&self.around);
            for on in joined.iter().filter(|on| on.factors.contains(&place)) {
                facts.extend_from_slice(&on.facts);
            }
            match self.scopes.all[scope].factors[place].used {
                Some(used) => self.narrowed.push(Narrowed::by_facts(used, (scope, place), facts)),
                None => self.narrow_inner(scope, place, &facts),
            }
        }
    }

    /// The customers whose rows of a use the statement lets through: some by key, others by address.
    fn whose(&self, used: usize) -> Vec<Whose> {
        let found = self.narrowed.iter().find(|of| of.used == used);
        let Some(found) = found else { return vec![everybody("the statement names no customer")] };
        if let Some(named) = &found.named {
            return vec![named.clone()];
        }
        let around = if found.repeated { &[][..] } else { &found.around };
        let facts: Vec<_> = found.facts.iter().chain(around).cloned().collect();
        let table = &self.known.tables[self.scopes.uses[used].table];
        whose::whose(self.context(), table, (found.scope, found.place), &facts)
    }

    fn finish(mut self) -> Understood {
        for used in 0..self.scopes.uses.len() {
            let (table, fields) = (self.scopes.uses[used].table, self.scopes.uses[used].fields);
            for whose in self.whose(used) {
                self.touch(table, Operation::Release, fields, whose);
            }
        }
        if self.leaked {
            for touched in &mut self.touched {
                touched.found.whose = everybody(LEAKED);
            }
        }
        let views = self.views.into_iter().collect();
        Understood { touched: self.touched, named: self.named, views }
    }
}

impl Narrowed {
    const fn by_facts(used: usize, (scope, place): (usize, usize), facts: Vec<Fact>) -> Self {
        Self { used, scope, place, facts, around: Vec::new(), repeated: false, named: None }
    }

    fn by_name(used: usize, named: Whose) -> Self {
        Self { named: Some(named), ..Self::by_facts(used, (0, 0), Vec::new()) }
    }
}

impl From<NotInView> for Doubt {
    fn from(_: NotInView) -> Self {
        Self::form("a column belongs to no relation of the statement")
    }
}

/// Whether a statement gives out no rows.
fn reads_nothing(statement: &Statement) -> bool {
    matches!(
        statement,
        Statement::StartTransaction { .. }
            | Statement::Commit { .. }
            | Statement::Rollback { .. }
            | Statement::Savepoint { .. }
            | Statement::ReleaseSavepoint { .. }
            | Statement::Set(_)
            | Statement::ShowVariable { .. }
            | Statement::Deallocate { .. }
            | Statement::Close { .. }
            | Statement::Discard { .. }
            | Statement::LISTEN { .. }
            | Statement::UNLISTEN { .. }
            | Statement::Analyze(_)
            | Statement::Vacuum(_)
            | Statement::Truncate(_)
            | Statement::CreateIndex(_)
            | Statement::CreateView(_)
            | Statement::CreateExtension(_)
            | Statement::CreateFunction(_)
            | Statement::CreateTrigger(_)
            | Statement::CreateType { .. }
            | Statement::CreateSchema { .. }
            | Statement::CreateSequence { .. }
            | Statement::AlterTable(_)
            | Statement::Drop { .. }
            | Statement::Grant(_)
            | Statement::Revoke(_)
            | Statement::Comment { .. }
    )
}

/// Whether an expression is a plain value.
const fn is_value(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::Value(value)
            if matches!(value.value, Value::Number(..) | Value::Placeholder(_) | Value::Null)
    )
}
