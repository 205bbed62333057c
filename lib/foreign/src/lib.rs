//! Reads the data of other systems: customer tables and access logs. Both become types of `core`:
//! [`cofferdam_core::BroughtPerson`] for a row and [`cofferdam_core::Access`] for a logged access.
//!
//! May touch: the readers and files that it is given. Knows no compartment. Called by: the CLI,
//! which brings tables and access logs to `response`.
//!
//! One rule applies everywhere: an access may count for more people or more fields than it touched,
//! but never for fewer. An access that this crate can't interpret counts for everybody.

pub mod catalogue;
mod cloudtrail;
mod events;
mod json;
mod log_format;
mod mapping;
mod mariadb;
mod pattern;
mod pgaudit;
mod presets;
mod shape;
mod sql;
pub mod table;
mod target;
#[cfg(test)]
mod testing;
mod time;
mod unpack;
mod w3c;
mod web;
mod weblog;

use std::io::BufRead;

use cofferdam_core::{Access, CallerName, Timestamp};

pub use catalogue::Catalogue;
pub use mapping::{LogMapping, MappingError, Pgaudit, Source, Table};

/// An item that was read from a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// The time of a line, whether the line is an access or not. It shows which period a log
    /// covers.
    Seen(Timestamp),
    /// An access to customers' data.
    Access(Access),
    /// A line that touched no customer's data.
    Harmless {
        /// The number of the line, from 1.
        line: u64,
    },
    /// A line that no rule of the mapping names. The access that follows counts as everybody's.
    Unnamed {
        /// The number of the line, from 1.
        line: u64,
        /// The shape that it shares with lines like it, without personal data.
        shape: String,
    },
    /// A line that the log would lack if its source were told to log no reads. Of a format whose source
    /// always logs them, there is none.
    ShowsReads {
        /// The user whose reads are logged; `None` if those of every user are.
        via: Option<CallerName>,
    },
    /// The log goes on where the file before it ended, as far as a session tells that is in both.
    Continues,
    /// Lines are missing before a line.
    Gap {
        /// The number of the line, from 1.
        line: u64,
        /// The number of lines that are missing.
        lines: u64,
    },
    /// A line that can't be parsed.
    Bad {
        /// The number of the line, from 1.
        line: u64,
        /// The fault, without a quote of the line.
        why: String,
    },
}

/// A log can't be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReadError<E> {
    /// The file can't be read.
    #[error("from line {line} on: {source}")]
    Io {
        /// The number of the first line that could not be read.
        line: u64,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The receiver of the items failed.
    #[error(transparent)]
    Taker(E),
}

/// The receiver of the items of a log.
pub type Take<'a, E> = &'a mut dyn FnMut(Item) -> Result<(), E>;

/// A reader of the files of one log, which come in their order.
#[derive(Debug)]
pub struct LogReader {
    mapping: LogMapping,
    /// The reader of pgaudit's lines, which remembers earlier lines.
    audit: Option<pgaudit::Audit>,
}

impl LogReader {
    /// Makes a reader that has read no file.
    #[must_use]
    pub fn new(mapping: LogMapping) -> Self {
        let audit = mapping.pgaudit().map(pgaudit::Audit::new);
        Self { mapping, audit }
    }

    /// Reads the next file to its end, packed or not, and hands each item to `take`. Each line gives
    /// accesses, or is harmless, or bad.
    pub fn read<E>(&mut self, log: impl BufRead, take: Take<'_, E>) -> Result<(), ReadError<E>> {
        let log = unpack::unpack_text(log).map_err(|source| ReadError::Io { line: 1, source })?;
        if let Some(audit) = &mut self.audit {
            return sql::with_deep_stack(|| audit.read(&self.mapping, log, take));
        }
        match &self.mapping {
            LogMapping::JsonLines(mapping) => events::read(mapping, log, take),
            LogMapping::Cloudtrail(mapping) => cloudtrail::read(mapping, log, take),
            LogMapping::Web(mapping) => weblog::read(mapping, log, take),
            LogMapping::W3c(mapping) => w3c::read(mapping, log, take),
            LogMapping::MariadbAudit(mapping) => mariadb::read(mapping, log, take),
            // These have a reader of pgaudit.
            LogMapping::PgauditCsv(_)
            | LogMapping::PgauditJson(_)
            | LogMapping::PgauditStderr(_) => Ok(()),
        }
    }
}

/// Reads a log of one file, as [`LogReader`] does.
pub fn read_log<E>(
    mapping: &LogMapping,
    log: impl BufRead,
    take: Take<'_, E>,
) -> Result<(), ReadError<E>> {
    LogReader::new(mapping.clone()).read(log, take)
}

/// Notes in a mapping what the definitions of a log change, of which databases the log is, and which
/// tables no line names. All files of a log are read like this before the first one is read for its
/// accesses: a definition tells about lines before it too.
pub fn read_definitions(
    mapping: &mut LogMapping,
    log: impl BufRead,
) -> Result<(), ReadError<std::convert::Infallible>> {
    let Some(of) = mapping.pgaudit() else { return Ok(()) };
    let mut noted = pgaudit::Noted {
        changes: of.changes.clone(),
        databases: of.seen_databases.clone(),
        unnamed: of.unnamed.clone().unwrap_or_else(|| mapping::UnnamedTables::of(of)),
    };
    let log = unpack::unpack_text(log).map_err(|source| ReadError::Io { line: 1, source })?;
    sql::with_deep_stack(|| pgaudit::read_definitions(mapping, &mut noted, log))?;
    if let Some(of) = mapping.pgaudit_mut() {
        of.changes = noted.changes;
        of.seen_databases = noted.databases;
        of.unnamed = Some(noted.unnamed);
    }
    Ok(())
}

/// The visitor of the lines of a file: it gets the number of each line, and its text or its fault.
type VisitLine<'a, E> = &'a mut dyn FnMut(u64, Result<&str, String>) -> Result<(), E>;

/// The byte order mark. Files that were joined have one at the beginning of a line.
const MARK: char = '\u{feff}';

/// The fault of a line that holds a line end or a zero. Servers escape both, so lines are joined here,
/// or missing: a file that was cut while it was written, or a disk that failed, leaves zeros.
const DAMAGED: &str = "the line holds a line end or a zero: lines may be joined or missing";

/// Whether a line of a server that escapes such characters holds a line end or a zero.
fn is_damaged(line: &str) -> bool {
    line.contains(['\r', '\0'])
}

/// Visits each line without its line end. A line of more than 1 MiB or with invalid UTF-8 is a
/// fault.
fn lines<E>(mut log: impl BufRead, visit: VisitLine<'_, E>) -> Result<(), ReadError<E>> {
    const MAX_LINE: u64 = 1 << 20;
    let (mut bytes, mut line) = (Vec::new(), 0);
    // Whether the bytes before belong to a line that is too long.
    let mut in_long_line = false;
    loop {
        bytes.clear();
        let mut limited = std::io::Read::take(&mut log, MAX_LINE);
        let read = limited.read_until(b'\n', &mut bytes);
        let read = read.map_err(|source| ReadError::Io { line: line + 1, source })?;
        if read == 0 {
            return Ok(());
        }
        let whole = bytes.last() == Some(&b'\n') || (read as u64) < MAX_LINE;
        if std::mem::replace(&mut in_long_line, !whole) {
            continue;
        }
        line += 1;
        let text = if whole {
            std::str::from_utf8(&bytes).map_err(|_| "the line is not UTF-8".to_owned())
        } else {
            Err("the line has more than 1 MiB".to_owned())
        };
        let text = text.map(|text| text.trim_end_matches(['\r', '\n']).trim_start_matches(MARK));
        visit(line, text).map_err(ReadError::Taker)?;
    }
}
