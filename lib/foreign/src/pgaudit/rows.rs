//! The rows of PostgreSQL's logs: `csvlog`, `jsonlog`, and text.

use std::io::{BufRead, BufReader};

use csv::{ReaderBuilder, StringRecord};
use serde::Deserialize;

use super::prefix::LinePrefix;
use super::{AUDIT, CELLS, split};
use crate::mapping::LogMapping;
use crate::{ReadError, lines};

/// A longer message of text is bad, in bytes.
const MAX_MESSAGE: usize = 1 << 20;

/// The columns of a log line that are used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Row<'a> {
    pub at: &'a str,
    pub user: &'a str,
    /// The database; empty if the log does not have it.
    pub database: &'a str,
    /// The client's address; `None` if the log does not have it.
    pub host: Option<&'a str>,
    pub session: &'a str,
    /// The number of the line within its session.
    pub number: Option<u64>,
    /// The message behind its level. In a log of text, the level stands before a message that is none
    /// of pgaudit's.
    pub message: &'a str,
    /// The details of the message; `None` in a log of text, where they are a line of their own.
    pub detail: Option<&'a str>,
    /// The statement that failed, or that was running as the message was written.
    pub running: &'a str,
    /// Whether the message is the fault that the analysis of the statement found: it never ran.
    pub refused: bool,
}

impl Row<'_> {
    /// The cells of pgaudit's part of the line, `Some(None)` if it is cut off; `None` if it is none of
    /// pgaudit's.
    #[expect(clippy::option_option, reason = "a line of pgaudit may be cut off")]
    pub fn audit(&self) -> Option<Option<StringRecord>> {
        let audit = self.message.strip_prefix(AUDIT)?;
        Some(split(audit).filter(|cells| cells.len() >= CELLS))
    }
}

/// Sees each row with the number of its line, or the fault of a line that is no row.
pub type VisitRow<'a, E> = &'a mut dyn FnMut(u64, Result<Row<'_>, String>) -> Result<(), E>;

/// Visits the rows of a log in the format of its mapping.
pub fn visit_rows<E>(
    mapping: &LogMapping,
    log: impl BufRead,
    visit: VisitRow<'_, E>,
) -> Result<(), ReadError<E>> {
    match mapping {
        LogMapping::PgauditJson(_) => visit_json(log, visit),
        LogMapping::PgauditStderr(of) => match &of.log_line_prefix {
            Some(prefix) => visit_text(prefix, log, visit),
            // A mapping without a prefix is refused before.
            None => Ok(()),
        },
        _ => visit_csv(log, visit),
    }
}

fn visit_csv<E>(log: impl BufRead, visit: VisitRow<'_, E>) -> Result<(), ReadError<E>> {
    let mut reader =
        ReaderBuilder::new().has_headers(false).flexible(true).from_reader(BufReader::new(log));
    let mut record = StringRecord::new();
    loop {
        let line = reader.position().line();
        match reader.read_record(&mut record) {
            Ok(false) => return Ok(()),
            Ok(true) => {}
            Err(e) => {
                if let csv::ErrorKind::Io(_) = e.kind() {
                    let source = std::io::Error::other(e);
                    return Err(ReadError::Io { line, source });
                }
                visit(line, Err("the line is not UTF-8".to_owned())).map_err(ReadError::Taker)?;
                continue;
            }
        }
        // PostgreSQL 15's manual gives the order of the columns in section 20.8.4.
        let cell = |place: usize| record.get(place).unwrap_or_default();
        // Rows have 23 cells up to PostgreSQL 12, 24 in 13, and 26 from 14 on. Another number is a row
        // that was torn in two.
        let row = matches!(record.len(), 23 | 24 | 26).then(|| Row {
            at: cell(0),
            user: cell(1),
            database: cell(2),
            // The port would make every connection a client of its own.
            host: Some(cell(4).rsplit_once(':').map_or(cell(4), |(host, _)| host)),
            session: cell(5),
            number: cell(6).parse().ok(),
            message: cell(13),
            detail: Some(cell(14)),
            running: cell(19),
            refused: is_refused(cell(12), cell(18), cell(20)),
        });
        visit(line, row.ok_or_else(no_row)).map_err(ReadError::Taker)?;
    }
}

/// Whether an error is one of the analysis of a statement: it tells a place in the statement, and no
/// code was running. The classes of SQLSTATE are those of wrong syntax and of wrong values.
fn is_refused(state: &str, context: &str, place: &str) -> bool {
    (state.starts_with("42") || state.starts_with("22")) && context.is_empty() && !place.is_empty()
}

fn no_row() -> String {
    "the line is not one of PostgreSQL's log".to_owned()
}

fn visit_json<E>(log: impl BufRead, visit: VisitRow<'_, E>) -> Result<(), ReadError<E>> {
    #[derive(Deserialize)]
    struct Line {
        timestamp: String,
        #[serde(default)]
        user: String,
        #[serde(default)]
        dbname: String,
        #[serde(default)]
        remote_host: String,
        #[serde(default)]
        session_id: String,
        #[serde(rename = "line_num")]
        number: Option<u64>,
        #[serde(default)]
        message: String,
        #[serde(default)]
        detail: String,
        #[serde(default)]
        context: String,
        #[serde(default, rename = "state_code")]
        state: String,
        #[serde(default, rename = "statement")]
        running: String,
        #[serde(rename = "cursor_position")]
        place: Option<u64>,
    }
    lines(log, &mut |line, text| {
        let read: Line = match text {
            Ok("") => return Ok(()),
            Ok(text) => match serde_json::from_str(text) {
                Ok(read) => read,
                Err(_) => return visit(line, Err(no_row())),
            },
            Err(why) => return visit(line, Err(why)),
        };
        let row = Row {
            at: &read.timestamp,
            user: &read.user,
            database: &read.dbname,
            host: Some(&read.remote_host),
            session: &read.session_id,
            number: read.number,
            message: &read.message,
            detail: Some(&read.detail),
            running: &read.running,
            refused: read.place.is_some() && is_refused(&read.state, &read.context, "0"),
        };
        visit(line, Ok(row))
    })
}

/// A message of several lines as PostgreSQL writes it: all but the first begin with a tab.
struct Message {
    line: u64,
    text: String,
}

fn visit_text<E>(
    prefix: &LinePrefix,
    log: impl BufRead,
    visit: VisitRow<'_, E>,
) -> Result<(), ReadError<E>> {
    let mut message: Option<Message> = None;
    lines(log, &mut |line, text| {
        let text = match text {
            Ok("") => return Ok(()),
            Ok(text) => text,
            Err(why) => return visit(line, Err(why)),
        };
        if let (Some(more), Some(message)) = (text.strip_prefix('\t'), &mut message) {
            // The fault of a message that is too long shows when it is at its end.
            if message.text.len() <= MAX_MESSAGE {
                message.text.push('\n');
                message.text.push_str(more);
            }
            return Ok(());
        }
        let before = message.replace(Message { line, text: text.to_owned() });
        before.map_or(Ok(()), |before| visit_message(prefix, &before, visit))
    })?;
    message.map_or(Ok(()), |last| visit_message(prefix, &last, visit)).map_err(ReadError::Taker)
}

fn visit_message<E>(
    prefix: &LinePrefix,
    message: &Message,
    visit: VisitRow<'_, E>,
) -> Result<(), E> {
    let row = match prefix.split(&message.text) {
        _ if message.text.len() > MAX_MESSAGE => Err("the message has more than 1 MiB".to_owned()),
        Some(row) => Ok(row),
        None => Err("the line does not have the one form that log_line_prefix gives".to_owned()),
    };
    visit(message.line, row)
}
