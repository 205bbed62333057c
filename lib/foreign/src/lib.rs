//! Reads what other systems wrote: tables of customers, and logs that tell who read them.
//!
//! May touch: the readers and files that it is given, nothing else. Knows no compartment: what it
//! finds are [`cofferdam_core::Access`]es and [`cofferdam_core::RosterPerson`]s. Called by: the
//! CLI's `import roster` and `import access-log`.
//!
//! One rule stands over all of it: an access may be counted for more people, or more fields, than
//! it touched, and never for fewer. Whatever is not understood counts as everybody.

mod combined;
mod events;
mod mapping;
mod pattern;
mod pgaudit;
pub mod roster;
mod sql;
mod time;

use std::io::BufRead;

use cofferdam_core::{Access, Timestamp};

pub use mapping::{Combined, Events, LogMapping, Pgaudit, Table};

/// What a log is read into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A line was written then, whatever it says.
    Seen(Timestamp),
    /// Somebody's data was touched.
    Access(Access),
    /// A line that makes no sense.
    Bad {
        /// Where, from 1.
        line: u64,
        /// What is wrong, without quoting it.
        why: String,
    },
}

/// Why a log can't be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReadError<E> {
    /// The file can't be read.
    #[error("from line {line} on: {source}")]
    Io {
        /// Where.
        line: u64,
        /// What the system says.
        source: std::io::Error,
    },
    /// Who takes the items failed.
    #[error(transparent)]
    Taker(E),
}

/// Takes what is found.
pub type Take<'a, E> = &'a mut dyn FnMut(Item) -> Result<(), E>;

/// Reads a log to its end.
pub fn read_log<E>(
    mapping: &LogMapping,
    log: impl BufRead,
    take: Take<'_, E>,
) -> Result<(), ReadError<E>> {
    match mapping {
        LogMapping::PgauditCsv(of) => pgaudit::read_csv(of, log, take),
        LogMapping::PgauditJson(of) => pgaudit::read_json(of, log, take),
        LogMapping::JsonLines(of) => events::read_lines(of, log, take),
        LogMapping::Cloudtrail(of) => events::read_cloudtrail(of, log, take),
        LogMapping::Combined(of) => combined::read(of, log, take),
    }
}

/// Takes a line by its number, or why it is none.
type Show<'a, E> = &'a mut dyn FnMut(u64, Result<&str, String>) -> Result<(), E>;

/// Shows each line with its number, without its end; no line is longer than a mebibyte.
fn lines<E>(mut log: impl BufRead, show: Show<'_, E>) -> Result<(), ReadError<E>> {
    const MAX_LINE: u64 = 1 << 20;
    let (mut bytes, mut line) = (Vec::new(), 0);
    let mut cut = false;
    loop {
        bytes.clear();
        let mut limited = std::io::Read::take(&mut log, MAX_LINE);
        let read = limited.read_until(b'\n', &mut bytes);
        let read = read.map_err(|source| ReadError::Io { line: line + 1, source })?;
        if read == 0 {
            return Ok(());
        }
        let whole = bytes.last() == Some(&b'\n') || (read as u64) < MAX_LINE;
        // The rest of a line that was too long is no line of its own.
        if std::mem::replace(&mut cut, !whole) {
            continue;
        }
        line += 1;
        let text = if whole {
            std::str::from_utf8(&bytes).map_err(|_| "it is not UTF-8".to_owned())
        } else {
            Err("it has more than 1 MiB".to_owned())
        };
        show(line, text.map(|text| text.trim_end_matches(['\r', '\n'])))
            .map_err(ReadError::Taker)?;
    }
}
