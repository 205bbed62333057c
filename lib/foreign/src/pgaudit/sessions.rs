//! The numbers that PostgreSQL gives to the lines of each session. They show whether lines are
//! missing, and whether a file continues the one before it.

use std::collections::HashMap;

use cofferdam_core::Timestamp;

/// The most sessions of which a generation knows the last line. Two generations are kept.
const GENERATION: usize = 100_000;

/// The last line of each session.
#[derive(Debug, Default)]
pub struct Sessions {
    young: HashMap<Id, Last>,
    old: HashMap<Id, Last>,
    /// The number of the file that is read.
    file: u32,
    /// The second from which on every session is known from its first line.
    since: Option<i64>,
}

/// A session: its start in seconds, and its process.
type Id = (i64, i64);

#[derive(Debug, Clone, Copy)]
struct Last {
    number: u64,
    file: u32,
}

/// The place of a line in its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It follows the line before it, as far as can be told.
    Next,
    /// It follows the last line that its session has in the file before.
    Joins,
    /// This many lines before it are missing.
    Missing(u64),
}

impl Sessions {
    pub const fn next_file(&mut self) {
        self.file += 1;
    }

    /// Takes the next line of a session.
    pub fn step(&mut self, session: &str, number: Option<u64>, at: Timestamp) -> Step {
        let since = *self.since.get_or_insert(at.as_second());
        let (Some(id), Some(number)) = (id(session), number) else { return Step::Next };
        let known = self.young.get(&id).or_else(|| self.old.get(&id)).copied();
        let last = known.unwrap_or(Last { number: 0, file: self.file });
        let newest = Last { number: number.max(last.number), file: self.file };
        if self.young.insert(id, newest).is_none() && self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
            self.since = Some(at.as_second());
        }
        match number.checked_sub(last.number + 1) {
            // A session that was there before the log began has earlier lines elsewhere.
            Some(_) if known.is_none() && id.0 <= since => Step::Next,
            Some(0) if last.file < self.file => Step::Joins,
            // A line that comes again is no gap.
            Some(0) | None => Step::Next,
            Some(missing) => Step::Missing(missing),
        }
    }
}

/// The session that an id such as `6b0beeec.7fe6` names.
fn id(text: &str) -> Option<Id> {
    let (started, process) = text.split_once('.')?;
    let number = |text| i64::from_str_radix(text, 16).ok();
    Some((number(started)?, number(process)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn numbers_show_gaps_and_joins() {
        let mut sessions = Sessions::default();
        sessions.next_file();
        let mut step = |session: &str, number| sessions.step(session, Some(number), at(0x100));
        assert_eq!(step("50.1", 7), Step::Next, "it was there before the log");
        assert_eq!(step("50.1", 8), Step::Next);
        assert_eq!(step("50.1", 8), Step::Next, "a line twice");
        assert_eq!(step("50.1", 11), Step::Missing(2));
        assert_eq!(step("101.2", 1), Step::Next);
        assert_eq!(step("102.3", 3), Step::Missing(2), "its first lines are missing");
        assert_eq!(step("no id", 9), Step::Next);
        sessions.next_file();
        let mut step = |session: &str, number| sessions.step(session, Some(number), at(0x200));
        assert_eq!(step("150.4", 1), Step::Next);
        assert_eq!(step("50.1", 12), Step::Joins);
        assert_eq!(step("50.1", 13), Step::Next);
        assert_eq!(step("101.2", 4), Step::Missing(2));
    }

    #[test]
    fn very_many_sessions_need_little_memory() {
        let mut sessions = Sessions::default();
        for second in 0..500_000 {
            let step = sessions.step(&format!("{second:x}.1"), Some(1), at(second));
            assert_eq!(step, Step::Next);
            assert_eq!(sessions.step("0.1", None, at(second)), Step::Next);
        }
        assert!(sessions.young.len() + sessions.old.len() <= 2 * GENERATION);
        let step = sessions.step("5.1", Some(2), at(500_000));
        assert_eq!(step, Step::Next, "a forgotten session is not a gap");
    }
}
