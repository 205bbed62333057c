//! The users of a log whose reads are logged. A database can be told to log the changes of some alone.

use std::collections::BTreeSet;

use cofferdam_core::CallerName;

/// The most users that are told apart.
const MAX_USERS: usize = 10_000;

/// The users that appear in a log, and those of whom a line shows that their reads are logged.
#[derive(Debug, Clone, Default)]
pub struct Readers {
    users: BTreeSet<CallerName>,
    shown: BTreeSet<CallerName>,
    /// Whether the reads of every user are logged.
    all: bool,
}

impl Readers {
    /// Notes a user with an access.
    pub fn note_user(&mut self, user: &CallerName) {
        if self.users.len() < MAX_USERS && !self.users.contains(user) {
            self.users.insert(user.clone());
        }
    }

    /// Notes a user whose reads are logged; `None` means every user.
    pub fn note_reader(&mut self, user: Option<CallerName>) {
        match user {
            Some(user) => {
                self.shown.insert(user);
            }
            None => self.all = true,
        }
    }

    /// Whether these show that the reads of everybody who appears are logged.
    pub fn show_all<'a>(all: impl Iterator<Item = &'a Self>) -> bool {
        let mut whole = Self::default();
        for of in all {
            whole.all |= of.all;
            whole.users.extend(of.users.iter().cloned());
            whole.shown.extend(of.shown.iter().cloned());
        }
        whole.all || (!whole.shown.is_empty() && whole.users.is_subset(&whole.shown))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_without_a_read_leaves_it_open() {
        let of = |users: &[&str], shown: &[&str]| {
            let mut readers = Readers::default();
            for user in users {
                readers.note_user(&CallerName::from_foreign(user));
            }
            for user in shown {
                readers.note_reader(Some(CallerName::from_foreign(user)));
            }
            readers
        };
        let shows = |all: &[Readers]| Readers::show_all(all.iter());
        assert!(shows(&[of(&["web"], &["web"])]));
        assert!(shows(&[of(&["web"], &[]), of(&[], &["web"])]), "another file shows it");
        assert!(shows(&[of(&[], &["web"])]));
        assert!(!shows(&[of(&["web", "shipping"], &["web"])]));
        assert!(!shows(&[of(&[], &[])]) && !shows(&[]));
        let mut every = of(&["web"], &[]);
        every.note_reader(None);
        assert!(shows(&[every]));
    }
}
