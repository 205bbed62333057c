//! Reads the lines of a log that are none of pgaudit's.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use super::logged::{Logged, logged, parameters};
use super::rows::Row;
use super::{Client, Databases, REMEMBERED, hand_on};
use crate::Take;
use crate::sql::{self, Found, Known};
use crate::time::Instants;

/// A reader of `PostgreSQL`'s own lines.
#[derive(Debug, Default)]
pub struct OwnLines {
    audited: Audited,
    held: Option<Held>,
    /// The session whose last line was the fault of a statement that never ran.
    refused: Option<String>,
}

/// A statement in a log of text. Its parameters may be in the next line.
#[derive(Debug)]
struct Held {
    line: u64,
    at: Instants,
    by: Client,
    session: String,
    database: String,
    texts: Vec<String>,
}

impl OwnLines {
    pub fn next_file(&mut self) {
        self.refused = None;
    }

    pub fn note_audit(&mut self, session: &str, kind: &str, class: &str, text: &str) {
        self.audited.note(session, kind, class, text);
    }

    /// Ends the statement that is held, with the parameters of the next row if it has them.
    pub fn end<E>(
        &mut self,
        names: &Databases,
        next: Option<&Row<'_>>,
        take: Take<'_, E>,
    ) -> Result<(), E> {
        let Some(held) = self.held.take() else { return Ok(()) };
        let of_session = next.filter(|row| row.session == held.session);
        // Only the server writes a detail behind a statement. A client chooses other messages.
        let detail = of_session.and_then(|row| row.message.strip_prefix("DETAIL:  "));
        let known = names.of(&held.database);
        let found = resolve_any(known, &held.texts, detail.and_then(parameters).as_ref());
        hand_on(held.line, held.at, &held.by, found, take)
    }

    pub fn read<E>(
        &mut self,
        names: &Databases,
        line: u64,
        at: Instants,
        of: OwnRow<'_, '_>,
        take: Take<'_, E>,
    ) -> Result<(), E> {
        let OwnRow { row, logged } = of;
        let refused = self.note_refusal(row);
        let mut texts = match logged {
            Logged::Unreadable => vec![""],
            Logged::OneOf(texts) => texts,
            Logged::Nothing => Vec::new(),
        };
        if !row.running.is_empty() {
            texts.push(row.running);
        }
        let new = |text: &&str| {
            let never_ran = refused && sql::is_single(text);
            !never_ran && !self.audited.has(row.session, text)
        };
        let texts: Vec<String> = texts.into_iter().filter(new).map(str::to_owned).collect();
        let by = Client::of(row);
        if row.detail.is_none() && texts.iter().any(|text| text.contains('$')) {
            let (session, database) = (row.session.to_owned(), row.database.to_owned());
            self.held = Some(Held { line, at, by, session, database, texts });
            return Ok(());
        }
        // A client chooses the detail beside an error.
        let detail = row.detail.filter(|_| row.running.is_empty());
        let parameters = detail.and_then(parameters);
        let found = resolve_any(names.of(row.database), &texts, parameters.as_ref());
        hand_on(line, at, &by, found, take)
    }

    /// Whether the statement of a row never ran, because its analysis found a fault. A log of text has
    /// the fault in the line before.
    fn note_refusal(&mut self, row: &Row<'_>) -> bool {
        if row.detail.is_some() {
            return row.refused;
        }
        let has_place = || {
            let (_, place) = row.message.rsplit_once(" at character ")?;
            (!place.is_empty() && place.bytes().all(|b| b.is_ascii_digit())).then_some(())
        };
        let fault = row.message.starts_with("ERROR:  ").then(has_place).flatten();
        let before = std::mem::replace(&mut self.refused, fault.map(|()| row.session.to_owned()));
        row.message.starts_with("STATEMENT:  ") && before.as_deref() == Some(row.session)
    }
}

/// The customers' data that one of some texts touched. It is not known which of them is the statement.
fn resolve_any(
    known: Option<&Known>,
    texts: &[String],
    parameters: Option<&Vec<String>>,
) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    let Some(known) = known else { return found };
    for text in texts {
        for of in sql::resolve_text(known, text, parameters.cloned()) {
            if !found.contains(&of) {
                found.push(of);
            }
        }
    }
    found
}

/// A row that is none of pgaudit's, with the statement in its message.
#[derive(Debug)]
pub struct OwnRow<'r, 'a> {
    row: &'r Row<'a>,
    logged: Logged<'a>,
}

impl<'r, 'a> OwnRow<'r, 'a> {
    /// Finds the statement of a client in the message of a row.
    pub fn of(row: &'r Row<'a>) -> Self {
        let of_client = !row.user.is_empty() || row.host.is_some_and(|host| !host.is_empty());
        let logged = if of_client { logged(row.message) } else { Logged::Nothing };
        Self { row, logged }
    }

    /// Whether the row logs a statement.
    pub fn has_statement(&self) -> bool {
        self.logged != Logged::Nothing || !self.row.running.is_empty()
    }

    /// The definitions that the row logs, each with its command.
    pub fn definitions(&self) -> impl Iterator<Item = (&'static str, &'a str)> {
        self.of_its_kind().filter_map(|text| Some((sql::definition(text)?, text)))
    }

    /// Whether the row shows that statements which read are logged.
    pub fn shows_reads(&self) -> bool {
        self.of_its_kind().any(sql::is_plain_read)
    }

    /// The texts of a row that was logged for its kind of statement, not for its duration or an error.
    fn of_its_kind(&self) -> impl Iterator<Item = &'a str> {
        let message = self.row.message;
        let of_statement = match message.split_once(":  ") {
            Some((level, _)) if self.row.detail.is_none() => level == "LOG",
            _ => true,
        };
        let texts: &[&'a str] = match &self.logged {
            Logged::OneOf(texts) if of_statement => texts,
            _ => &[],
        };
        // In any language, a duration stands in front of its statement.
        let before = move |text: &str| message.strip_suffix(text).unwrap_or_default();
        texts.iter().copied().filter(move |text| !before(text).contains(" ms"))
    }
}

/// The statements of each session that lines of pgaudit told. The same statement, logged once more by
/// PostgreSQL, tells nothing new.
#[derive(Debug, Default)]
struct Audited {
    hasher: RandomState,
    sessions: HashMap<String, AuditedSession>,
    /// The number of texts of all sessions.
    kept: usize,
}

#[derive(Debug, Default)]
struct AuditedSession {
    /// Whether pgaudit logs what the session reads.
    reads: bool,
    /// The hashes of its statements.
    texts: HashSet<u64>,
}

impl Audited {
    /// Notes a line of pgaudit: the kind of its audit, its class and its text.
    fn note(&mut self, session: &str, kind: &str, class: &str, text: &str) {
        // Another session may get the number of a process.
        if kind != "SESSION" || text.is_empty() || !session.contains('.') {
            return;
        }
        if self.kept >= REMEMBERED {
            (self.kept, self.sessions) = (0, HashMap::new());
        }
        let hash = self.hasher.hash_one(text.trim());
        // Only the first line of a session copies its name.
        if !self.sessions.contains_key(session) {
            self.sessions.insert(session.to_owned(), AuditedSession::default());
        }
        if let Some(of) = self.sessions.get_mut(session) {
            of.reads |= class == "READ";
            self.kept += usize::from(of.texts.insert(hash));
        }
    }

    /// Whether lines of pgaudit told a statement, in a session of which they tell what is read.
    fn has(&self, session: &str, text: &str) -> bool {
        let of = self.sessions.get(session);
        of.is_some_and(|of| of.reads && of.texts.contains(&self.hasher.hash_one(text.trim())))
    }
}

#[cfg(test)]
#[path = "own_tests.rs"]
mod tests;
