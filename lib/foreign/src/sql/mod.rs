//! Finds the customers, and their fields, that a statement could have touched. A statement counts
//! for everybody and every field until the whole of it is understood: see [`walk`].

mod changes;
mod facts;
mod functions;
mod keys;
mod known;
mod meanings;
pub mod names;
mod scope;
#[cfg(test)]
mod tests;
mod text;
mod through;
mod views;
mod walk;
mod whose;

use std::borrow::Cow;
use std::ops::ControlFlow;

use cofferdam_core::{FieldSet, Operation, Whose};
use sqlparser::ast::{Expr, ObjectName, Statement as Parsed, TableFactor, Visit, Visitor};

pub use changes::{Changes, definition};
pub use known::{Known, Relation};
use names::Name;
pub use text::{is_plain_read, is_single};
pub use through::Through;
use walk::Understood;

/// Room for the depth that [`text::parse`] allows, in bytes. Only what is used is ever taken.
const STACK: usize = 64 << 20;

/// A statement in a line of pgaudit.
#[derive(Debug, Clone)]
pub struct Statement<'a> {
    /// The class: `READ`, `WRITE`, `FUNCTION`, `DDL` and others.
    pub class: &'a str,
    /// The command: `SELECT`, `PREPARE` and others.
    pub command: &'a str,
    /// The table of the statement that the line is about, such as `public.customer`; `None` if
    /// `pgaudit.log_relation` is off.
    pub object: Option<&'a str>,
    /// The text of the statement; empty if it was not logged.
    pub text: &'a str,
    /// The parameters, `$1` first; `None` if they were not logged.
    pub parameters: Option<Vec<String>>,
}

/// The customers' data that a statement touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// [`Operation::Release`] for data that went out, [`Operation::Seal`] for data that came in.
    pub operation: Operation,
    /// The fields that the statement touched.
    pub fields: FieldSet,
    /// The customers whose data the statement touched.
    pub whose: Whose,
}

/// A part of a statement that is not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// The part, in a few words without personal data.
    why: Cow<'static, str>,
    /// Whether the part could read tables that the statement does not name.
    anyone: bool,
}

impl Doubt {
    /// A form that is not understood. It reads only tables that the statement names.
    const fn form(why: &'static str) -> Self {
        Self { why: Cow::Borrowed(why), anyone: false }
    }

    /// A part that could read any table.
    const fn anyone(why: &'static str) -> Self {
        Self { why: Cow::Borrowed(why), anyone: true }
    }

    /// A relation that neither the mapping nor the catalogue explains.
    fn unlisted(name: &Name) -> Self {
        let why = format!("the statement reads {name}, which the mapping does not list");
        Self { why: Cow::Owned(why), anyone: true }
    }
}

/// Finds the customers' data that a statement touched; empty if it touched none.
pub fn resolve(known: &Known, statement: &Statement<'_>) -> Vec<Found> {
    match statement.class {
        // Preparing a statement reads no data; running it does.
        "READ" | "WRITE" if statement.command != "PREPARE" => in_rows(known, statement),
        "READ" | "WRITE" | "ROLE" => Vec::new(),
        "DDL" => in_definition(known, statement),
        "FUNCTION" => match statement.object {
            Some(function) if known.is_harmless(&Name::logged(function)) => Vec::new(),
            Some(function) => {
                let function = Name::logged(function);
                let why =
                    format!("the statement calls {function}, which the mapping does not list");
                everything(known, &why)
            }
            None => everything(known, "the statement runs code that the log does not name"),
        },
        "MISC" if !["FETCH", "MOVE"].contains(&statement.command) => Vec::new(),
        "MISC" => everything(known, "the statement reads a cursor that was opened before"),
        _ => everything(known, "the statement is of a class that is not understood"),
    }
}

/// Finds the customers' data that a text touched of which nothing else is known. It may be several
/// statements, of any class.
pub fn resolve_text(known: &Known, text: &str, parameters: Option<Vec<String>>) -> Vec<Found> {
    if text::gives_nothing(text) {
        return Vec::new();
    }
    let statement = Statement { class: "", command: "", object: None, text, parameters };
    in_text(known, &statement)
}

/// The data that a statement reads or writes. `pgaudit.log_relation` gives one line for each
/// relation, which is the line's object.
fn in_rows(known: &Known, statement: &Statement<'_>) -> Vec<Found> {
    let object = statement.object.map(Name::logged);
    let object = match object.as_ref().map(|name| (known.relation(name), name)) {
        None => None,
        Some((Relation::View(view), _)) => return through_view(known, statement, view),
        Some((Relation::Unknown | Relation::Ambiguous, name)) => {
            return everything(known, &Doubt::unlisted(name).why);
        }
        Some((Relation::Harmless, _)) => Some(None),
        Some((Relation::Table(table), _)) => Some(Some(table)),
    };
    match (understand(known, statement), object) {
        (Err(doubt), None) => everything(known, &doubt.why),
        (Err(doubt), Some(_)) if doubt.anyone => everything(known, &doubt.why),
        (Err(doubt), Some(Some(table))) => vec![whole_table(known, table, &doubt.why)],
        (_, Some(None)) => Vec::new(),
        (Ok(understood), None) => understood.touched.into_iter().map(|of| of.found).collect(),
        (Ok(understood), Some(Some(table))) if understood.named.contains(&table) => {
            let own = understood.touched.into_iter().filter(|of| of.table == table);
            own.map(|of| of.found).collect()
        }
        (Ok(_), Some(Some(table))) => {
            vec![whole_table(known, table, "the statement reads through a view or a cursor")]
        }
    }
}

/// The data that a statement reads of a view.
fn through_view(known: &Known, statement: &Statement<'_>, view: usize) -> Vec<Found> {
    let tables = &known.view(view).tables;
    let whole = |why: &str| tables.iter().map(|table| whole_table(known, *table, why)).collect();
    match understand(known, statement) {
        Ok(understood) if understood.views.contains(&view) => {
            let own = understood.touched.into_iter().filter(|of| tables.contains(&of.table));
            own.map(|of| of.found).collect()
        }
        Ok(_) => whole("the statement reads a view that it does not name"),
        Err(doubt) if doubt.anyone => everything(known, &doubt.why),
        Err(doubt) => whole(&doubt.why),
    }
}

/// The data that a definition copies, as `CREATE TABLE … AS` does.
fn in_definition(known: &Known, statement: &Statement<'_>) -> Vec<Found> {
    let copies = statement.command.ends_with(" AS")
        || statement.command == "SELECT INTO"
        || statement.command == "CREATE MATERIALIZED VIEW";
    if copies { in_text(known, statement) } else { Vec::new() }
}

/// The data that a statement touches, by its text alone.
fn in_text(known: &Known, statement: &Statement<'_>) -> Vec<Found> {
    match understand(known, statement) {
        Ok(understood) => understood.touched.into_iter().map(|of| of.found).collect(),
        Err(doubt) => everything(known, &doubt.why),
    }
}

/// Runs a part with the stack that the deepest statement takes: the parser recurses further than the
/// stack of some threads goes. A stack costs more than a statement, so a whole file is one part, and
/// the parts within run on its stack.
pub fn with_deep_stack<T>(part: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(STACK, STACK + STACK / 4, part)
}

fn understand(known: &Known, statement: &Statement<'_>) -> Result<Understood, Doubt> {
    with_deep_stack(|| understand_here(known, statement))
}

fn understand_here(known: &Known, statement: &Statement<'_>) -> Result<Understood, Doubt> {
    let parsed = text::parse(statement.text)?;
    let object = statement.object.map(Name::logged);
    walk::walk(known, &parsed, statement.parameters.as_deref(), object.as_ref()).map_err(|doubt| {
        // The walk ended before it had seen every function of the statement.
        let anyone = doubt.anyone || calls_unknown_code(known, &parsed);
        Doubt { anyone, ..doubt }
    })
}

/// Whether statements call a function that could read any table.
fn calls_unknown_code(known: &Known, statements: &[Parsed]) -> bool {
    struct Calls<'a>(&'a Known);
    impl Calls<'_> {
        fn check(&self, name: &ObjectName) -> ControlFlow<()> {
            match Name::of(name) {
                Some(name) if self.0.is_harmless(&name) => ControlFlow::Continue(()),
                _ => ControlFlow::Break(()),
            }
        }
    }
    impl Visitor for Calls<'_> {
        type Break = ();

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match expr {
                Expr::Function(function) => self.check(&function.name),
                _ => ControlFlow::Continue(()),
            }
        }

        fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
            match factor {
                TableFactor::Table { name, args: Some(_), .. }
                | TableFactor::Function { name, .. } => self.check(name),
                TableFactor::Table { .. }
                | TableFactor::Derived { .. }
                | TableFactor::NestedJoin { .. }
                | TableFactor::UNNEST { .. } => ControlFlow::Continue(()),
                _ => ControlFlow::Break(()),
            }
        }
    }
    let rows = |statement: &Parsed| {
        matches!(
            statement,
            Parsed::Query(_) | Parsed::Insert(_) | Parsed::Update(_) | Parsed::Delete(_)
        )
    };
    !statements.iter().all(rows)
        || statements.iter().any(|statement| statement.visit(&mut Calls(known)).is_break())
}

/// All data of all tables.
fn everything(known: &Known, why: &str) -> Vec<Found> {
    (0..known.tables.len()).map(|table| whole_table(known, table, why)).collect()
}

fn whole_table(known: &Known, table: usize, why: &str) -> Found {
    let fields = known.tables[table].all;
    Found { operation: Operation::Release, fields, whose: everybody(why) }
}

fn everybody(why: &str) -> Whose {
    Whose::Everybody { why: why.to_owned() }
}
