//! The truth about a statement: the people and fields that it read, measured by changing them.

use std::collections::BTreeSet;

use cofferdam_core::Field;

use crate::server::{Answer, Connection};
use crate::shop::{CUSTOMERS, Column, PEOPLE, Table, quoted, value};
use crate::statements::Statement;

/// People, and the fields that were read of them.
pub type Read = BTreeSet<(u32, Field)>;

/// The most changes whose answers are on their way at the same time.
const AT_ONCE: usize = 24;
/// The most texts of a statement that each column is given as a value.
const NAMED_VALUES: usize = 4;
/// A text that sorts last and has every letter and digit.
const EXTREME: &str = "~ The quick brown fox jumps over a lazy dog 0123456789 @post.example street";

/// The reasons why nothing can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SetAside {
    /// PostgreSQL refuses the statement before it reads a row.
    Refused,
    /// Two runs on the same rows differ, or one takes too long.
    DiffersByItself,
}

impl SetAside {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused by PostgreSQL",
            Self::DiffersByItself => "differs by itself, or too slow",
        }
    }
}

/// The truth about a statement, as far as it can be measured.
#[derive(Debug, Clone, Default)]
pub struct Truth {
    /// The people and fields whose change changes the answer.
    pub read: Read,
    /// The people whose absence changes the answer. It tells that they are customers.
    pub present: BTreeSet<u32>,
}

/// Measures a statement.
pub fn measure(on: &mut Connection, statement: &Statement) -> Result<Truth, SetAside> {
    let mut measured = Measured { on, statement };
    let unchanged = measured.answers(&[String::new(), String::new()]);
    let [Some(first), Some(second)] = &unchanged[..] else {
        return Err(SetAside::DiffersByItself);
    };
    // Of the errors, only those about values (class 22) come from rows.
    if first.error.is_some() && !first.failed_with("22") {
        return Err(SetAside::Refused);
    }
    if first != second {
        return Err(SetAside::DiffersByItself);
    }
    let named = statement.texts(NAMED_VALUES);
    let mut truth = Truth::default();
    for table in &CUSTOMERS {
        let columns = measured.columns_of_account(table, &named);
        measured.change_values(table, &columns, &named, &mut truth);
    }
    let deleted: Vec<_> = (1..=PEOPLE).map(deletion).collect();
    for (person, answer) in (1..).zip(measured.answers(&deleted)) {
        if answer.is_some_and(|answer| answer != *first) {
            truth.present.insert(person);
        }
    }
    Ok(truth)
}

struct Measured<'a> {
    on: &'a mut Connection,
    statement: &'a Statement,
}

impl Measured<'_> {
    /// The columns of which something shows when it changes for everybody at once. The others are not
    /// looked at person by person.
    fn columns_of_account(&mut self, table: &Table, named: &[String]) -> Vec<Column> {
        let Table { name, columns, .. } = table;
        let same = columns[0].0;
        let mut changes = vec![format!("UPDATE {name} SET {same} = {same}")];
        for (column, _) in *columns {
            let values = std::iter::once(None).chain(values(named).map(Some));
            changes.extend(values.map(|new| {
                let new = quoted(new);
                format!("UPDATE {name} SET {column} = {new}")
            }));
        }
        let mut answers = self.answers(&changes).into_iter();
        let unchanged = answers.next().flatten();
        let each = values(named).count() + 1;
        let mut of_account = Vec::new();
        for column in *columns {
            let all: Vec<_> = answers.by_ref().take(each).collect();
            // A change that was impossible for all at once may be possible for one.
            if all.iter().any(|answer| answer.is_none() || *answer != unchanged) {
                of_account.push(*column);
            }
        }
        of_account
    }

    fn change_values(
        &mut self,
        table: &Table,
        columns: &[Column],
        named: &[String],
        truth: &mut Truth,
    ) {
        let mut changes = Vec::new();
        for person in (1..=PEOPLE).filter(|_| !columns.is_empty()) {
            // A row that is written moves to the end of its table, changed or not.
            let same = table.columns[0].0;
            changes.push((person, None, update(table, person, same, same)));
            for (column, fields) in columns {
                let other = value(column, person % PEOPLE + 1);
                let mut all = vec![None, other.as_deref()];
                all.extend(values(named).map(Some));
                all.retain(|new| *new != value(column, person).as_deref());
                changes.extend(all.iter().map(|new| {
                    (person, Some(*fields), update(table, person, column, &quoted(*new)))
                }));
            }
        }
        let texts: Vec<_> = changes.iter().map(|(_, _, change)| change.clone()).collect();
        let answers = self.answers(&texts);
        let mut unchanged = None;
        for ((person, fields, _), answer) in changes.iter().zip(answers) {
            let Some(fields) = fields else {
                unchanged = answer;
                continue;
            };
            let (Some(before), Some(after)) = (&unchanged, answer) else { continue };
            if *before != after {
                truth.read.extend(fields.iter().map(|field| (*person, *field)));
            }
        }
    }

    /// The answers to the statement after each change; `None` if the change was impossible, or if
    /// the answer is about a constraint or the time that it took.
    fn answers(&mut self, changes: &[String]) -> Vec<Option<Answer>> {
        let mut answers = Vec::new();
        for some in changes.chunks(AT_ONCE) {
            for change in some {
                self.on.queue(&format!("BEGIN; {change}"));
                match &self.statement.parameters[..] {
                    [] => self.on.queue(&self.statement.sql),
                    parameters => self.on.queue_with(&self.statement.sql, parameters),
                }
                self.on.queue("ROLLBACK");
            }
            self.on.flush();
            for _ in some {
                let (changed, mut answer) = (self.on.answer(), self.on.answer());
                self.on.answer();
                if !self.statement.ordered {
                    answer.rows.sort();
                }
                let usable = changed.error.is_none()
                    && !["23", "40", "55", "57"].iter().any(|class| answer.failed_with(class));
                answers.push(usable.then_some(answer));
            }
        }
        answers
    }
}

/// The values that every column is given: extreme ones, and those that the statement names.
fn values(named: &[String]) -> impl Iterator<Item = &str> {
    [EXTREME, "!"].into_iter().chain(named.iter().map(String::as_str))
}

fn update(table: &Table, person: u32, column: &str, new: &str) -> String {
    let Table { name, key, .. } = table;
    format!("UPDATE {name} SET {column} = {new} WHERE {key} = {person}")
}

fn deletion(person: u32) -> String {
    let from =
        |table: &Table| format!("DELETE FROM {} WHERE {} = {person};", table.name, table.key);
    CUSTOMERS.iter().map(from).collect()
}
