//! Definitions in a log: the names whose meaning they change. A name that changes in a way that is
//! not understood has no known meaning, neither before nor after.

use std::collections::BTreeSet;

use sqlparser::ast::{
    AlterColumnOperation, AlterTable, AlterTableOperation as Alter, ColumnOption, CreateTable,
    CreateView, Expr, ObjectName, ObjectType, Query, RenameTableNameKind, SetExpr, Statement,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer};

use super::names::{Name, folded};
use super::text;

/// The most changes that are kept. With more, no name has a known meaning.
const MAX_CHANGES: usize = 10_000;

/// Commands that change neither what a relation holds nor what code does.
const KEEPING: &[&str] = &[
    "ALTER DEFAULT PRIVILEGES",
    "ALTER INDEX",
    "ALTER POLICY",
    "ALTER SEQUENCE",
    "ALTER STATISTICS",
    "COMMENT",
    "CREATE DOMAIN",
    "CREATE EXTENSION",
    "CREATE INDEX",
    "CREATE POLICY",
    "CREATE SCHEMA",
    "CREATE SEQUENCE",
    "CREATE STATISTICS",
    "CREATE TYPE",
    "DROP INDEX",
    "DROP POLICY",
    "DROP STATISTICS",
    "REFRESH MATERIALIZED VIEW",
    "REINDEX",
];

/// The first words of definitions.
const DEFINING: &[&str] =
    &["ALTER", "COMMENT", "CREATE", "DROP", "IMPORT", "REFRESH", "REINDEX", "SECURITY"];

/// The changes that the definitions of some logs make.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    pub all: BTreeSet<Change>,
    /// Whether a log has a definition at all, so that definitions are logged.
    pub logged: bool,
}

/// A change of the meaning of names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Any name may mean something else.
    Anything,
    /// A relation may mean something else.
    Relation(Name),
    /// A function may do something else.
    Function(Name),
    /// The keys of a relation may be others, or those of any.
    Keys(Option<Name>),
    /// A view or a materialized view means a query.
    View {
        name: Name,
        /// The text of the query.
        query: String,
    },
    /// A table is a partition of another.
    Partition {
        name: Name,
        of: Name,
        /// Whether the table is new.
        new: bool,
    },
    /// A relation has another name.
    Renamed { from: Name, to: Name },
}

impl Changes {
    /// Adds the changes that a definition makes. `command` is the command as pgaudit names it.
    pub fn add(&mut self, command: &str, text: &str) {
        self.logged = true;
        if KEEPING.contains(&command) {
            return;
        }
        self.all.extend(super::with_deep_stack(|| changes(text)));
        if self.all.len() > MAX_CHANGES {
            self.all = BTreeSet::from([Change::Anything]);
        }
    }
}

/// The command of a text that defines something, as pgaudit names it; empty for one that is not in
/// [`KEEPING`]. `None` for a text that defines nothing.
pub fn definition(text: &str) -> Option<&'static str> {
    let Ok(tokens) = Tokenizer::new(&PostgreSqlDialect {}, text).tokenize() else {
        return Some("");
    };
    let mut statements = tokens.split(|token| *token == Token::SemiColon).map(words);
    let first = statements.next().unwrap_or_default();
    let rest: Vec<_> = statements.filter(|words| !words.is_empty()).collect();
    if !rest.iter().chain([&first]).any(|words| defines(words)) {
        return None;
    }
    let keeps =
        |command: &&str| command.split(' ').eq(first.iter().take(command.split(' ').count()));
    let keeping = KEEPING.iter().copied().find(keeps).filter(|_| rest.is_empty());
    Some(keeping.unwrap_or_default())
}

/// The words of a statement, in capitals.
fn words(tokens: &[Token]) -> Vec<String> {
    let word = |token: &Token| match token {
        Token::Word(word) if word.quote_style.is_none() => Some(word.value.to_ascii_uppercase()),
        _ => None,
    };
    tokens.iter().filter_map(word).collect()
}

fn defines(words: &[String]) -> bool {
    match words.first().map(String::as_str) {
        Some("SELECT" | "WITH") => words.iter().any(|word| word == "INTO"),
        Some(first) => DEFINING.contains(&first),
        None => false,
    }
}

fn changes(text: &str) -> Vec<Change> {
    if let Some(change) = attached(text) {
        return vec![change];
    }
    // A text may have several statements, and the log has a line for each definition.
    let parsed = text::parse(text).map(|all| all.iter().flat_map(of_statement).collect());
    parsed.unwrap_or_else(|_| vec![Change::Anything])
}

fn of_statement(statement: &Statement) -> Vec<Change> {
    match statement {
        Statement::CreateTable(create) => of_table(create),
        Statement::CreateView(view) => vec![of_view(view)],
        Statement::AlterTable(alter) => of_alteration(alter),
        Statement::Query(query) => into(query),
        Statement::Drop { object_type, names, cascade: false, .. } => match object_type {
            // The table may have been an heir, whose rows no key of the table above it bound.
            ObjectType::Table => names.iter().map(touched).chain([Change::Keys(None)]).collect(),
            ObjectType::View | ObjectType::MaterializedView => names.iter().map(touched).collect(),
            ObjectType::Index | ObjectType::Sequence => Vec::new(),
            _ => vec![Change::Anything],
        },
        Statement::CreateFunction(create) => vec![function(&create.name)],
        Statement::DropFunction(drop) => {
            drop.func_desc.iter().map(|function| self::function(&function.name)).collect()
        }
        // A trigger can change a row as it is written.
        Statement::CreateTrigger(create) => vec![touched(&create.table_name)],
        Statement::DropTrigger(drop) => {
            vec![drop.table_name.as_ref().map_or(Change::Anything, touched)]
        }
        Statement::Insert(_)
        | Statement::Update(_)
        | Statement::Delete(_)
        | Statement::CreateIndex(_)
        | Statement::CreateSequence { .. }
        | Statement::CreateSchema { .. }
        | Statement::Comment { .. }
        | Statement::StartTransaction { .. }
        | Statement::Commit { .. }
        | Statement::Rollback { .. }
        | Statement::Savepoint { .. }
        | Statement::ReleaseSavepoint { .. }
        | Statement::Truncate(_)
        | Statement::Analyze(_)
        | Statement::Grant(_)
        | Statement::Revoke(_)
        | Statement::Copy { .. }
        | Statement::Set(_) => Vec::new(),
        _ => vec![Change::Anything],
    }
}

/// A new table is empty, so its name means what the mapping says of it. A temporary one hides
/// another of its name, and a copy holds what its query gives.
fn of_table(create: &CreateTable) -> Vec<Change> {
    let (Some(name), partition) = (Name::of(&create.name), create.partition_of.as_ref()) else {
        return vec![Change::Anything];
    };
    match partition.map(Name::of) {
        Some(Some(of)) if !create.temporary => vec![Change::Partition { name, of, new: true }],
        Some(_) => vec![Change::Anything],
        None if create.temporary || create.query.is_some() => vec![Change::Relation(name)],
        None => {
            // The rows of an heir are bound by no key of the tables above it.
            let above = create.inherits.iter().flatten().map(Name::of);
            above.chain([Some(name)]).map(Change::Keys).collect()
        }
    }
}

fn of_view(view: &CreateView) -> Change {
    match Name::of(&view.name) {
        // A temporary view hides another of its name, and new names need not be those of the query.
        Some(name) if view.temporary || !view.columns.is_empty() => Change::Relation(name),
        Some(name) => Change::View { name, query: view.query.to_string() },
        None => Change::Anything,
    }
}

fn of_alteration(alter: &AlterTable) -> Vec<Change> {
    let Some(name) = Name::of(&alter.name) else { return vec![Change::Anything] };
    let of = |operation: &Alter| match operation {
        Alter::AddColumn { column_def, .. } => {
            let computed = |option: &ColumnOption| matches!(option, ColumnOption::Generated { .. });
            let computed = column_def.options.iter().any(|of| computed(&of.option));
            Some(if computed {
                Change::Relation(name.clone())
            } else {
                Change::Keys(Some(name.clone()))
            })
        }
        Alter::AddConstraint { .. } | Alter::DropConstraint { .. } => {
            Some(Change::Keys(Some(name.clone())))
        }
        Alter::AlterColumn {
            op:
                AlterColumnOperation::SetNotNull
                | AlterColumnOperation::DropNotNull
                | AlterColumnOperation::SetDefault { .. }
                | AlterColumnOperation::DropDefault,
            ..
        }
        | Alter::RenameConstraint { .. }
        | Alter::ValidateConstraint { .. }
        | Alter::OwnerTo { .. }
        | Alter::ReplicaIdentity { .. }
        | Alter::SetLogged
        | Alter::SetUnlogged
        | Alter::EnableRowLevelSecurity
        | Alter::DisableRowLevelSecurity
        | Alter::ForceRowLevelSecurity
        | Alter::NoForceRowLevelSecurity => None,
        Alter::RenameTable {
            table_name: RenameTableNameKind::To(to) | RenameTableNameKind::As(to),
        } => Some(match Name::of(to) {
            // The new name has no schema: the relation stays in its own.
            Some(to) => Change::Renamed {
                from: name.clone(),
                to: Name { schema: to.schema.or_else(|| name.schema.clone()), bare: to.bare },
            },
            None => Change::Anything,
        }),
        _ => Some(Change::Relation(name.clone())),
    };
    let mut changes: Vec<_> = alter.operations.iter().filter_map(of).collect();
    // Columns may have moved to another schema together with the table.
    if changes.iter().any(|change| matches!(change, Change::Relation(_))) {
        changes.push(Change::Relation(Name { schema: None, bare: name.bare }));
    }
    changes
}

/// The tables that `SELECT … INTO` makes.
fn into(query: &Query) -> Vec<Change> {
    let mut body = query.body.as_ref();
    loop {
        body = match body {
            SetExpr::Select(select) => {
                let targets = select.into.iter().flat_map(|into| &into.targets);
                return targets.map(target).collect();
            }
            SetExpr::SetOperation { left, .. } => left,
            SetExpr::Query(query) => &query.body,
            _ => return Vec::new(),
        };
    }
}

fn target(target: &Expr) -> Change {
    match target {
        Expr::Identifier(ident) => Change::Relation(Name { schema: None, bare: folded(ident) }),
        Expr::CompoundIdentifier(parts) => match &parts[..] {
            [.., schema, bare] => {
                Change::Relation(Name { schema: Some(folded(schema)), bare: folded(bare) })
            }
            _ => Change::Anything,
        },
        _ => Change::Anything,
    }
}

fn touched(name: &ObjectName) -> Change {
    Name::of(name).map_or(Change::Anything, Change::Relation)
}

fn function(name: &ObjectName) -> Change {
    match Name::of(name) {
        Some(name) if name.schema.as_deref() != Some("pg_catalog") => Change::Function(name),
        _ => Change::Anything,
    }
}

/// The change of `ALTER TABLE … ATTACH PARTITION` or `DETACH PARTITION`, which the parser does not
/// know. A table that is detached keeps its columns.
fn attached(text: &str) -> Option<Change> {
    use Keyword as K;
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, text).tokenize_with_location().ok()?;
    let mut parser = Parser::new(&PostgreSqlDialect {}).with_tokens_with_locations(tokens);
    if !parser.parse_keywords(&[K::ALTER, K::TABLE]) {
        return None;
    }
    let _ = parser.parse_keywords(&[K::IF, K::EXISTS]);
    let _ = parser.parse_keyword(K::ONLY);
    let of = parser.parse_object_name(false).ok()?;
    let new = parser.parse_keywords(&[K::ATTACH, K::PARTITION]);
    if !new && !parser.parse_keywords(&[K::DETACH, K::PARTITION]) {
        return None;
    }
    let name = parser.parse_object_name(false).ok()?;
    // The rest is bounds, or how to detach. Another statement would stand behind a semicolon.
    loop {
        match parser.next_token().token {
            Token::EOF => break,
            Token::SemiColon if parser.peek_token_ref().token == Token::EOF => {}
            Token::SemiColon => return Some(Change::Anything),
            _ => {}
        }
    }
    let (name, of) = (Name::of(&name)?, Name::of(&of)?);
    Some(Change::Partition { name, of, new: false })
}
