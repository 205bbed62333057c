//! The latest new customers, kept so that decoys can be made when a customer comes alone.

use std::collections::VecDeque;

use accounts_api::Profile;

use super::parts;

/// The number of people who are remembered.
const REMEMBERED: usize = 64;
/// The number of people below which invented ones are added.
const ENOUGH: usize = 8;

/// A few recent profiles, which are overwritten in memory when they are dropped.
#[derive(Debug, Default)]
pub struct Donors(VecDeque<Profile>);

impl Donors {
    /// Remembers the last of `people`.
    pub fn remember<'a>(&mut self, people: impl DoubleEndedIterator<Item = &'a Profile>) {
        for profile in people.rev().take(REMEMBERED) {
            self.0.push_front(profile.clone());
        }
        self.0.truncate(REMEMBERED);
    }

    /// The remembered people. Invented people are added if they and `at_hand` others are few.
    #[must_use]
    pub fn recall(&self, at_hand: usize) -> Vec<Profile> {
        let mut people: Vec<Profile> = self.0.iter().cloned().collect();
        if people.len() + at_hand < ENOUGH {
            people.extend(parts::people());
        }
        people
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invented_people_leave_when_there_are_real_ones() {
        let mut donors = Donors::default();
        assert_eq!(donors.recall(1).len(), 8);
        assert_eq!(donors.recall(8).len(), 0);
        let people = parts::people();
        for _ in 0..20 {
            donors.remember(people.iter());
        }
        assert_eq!(donors.recall(1).len(), REMEMBERED);
    }
}
