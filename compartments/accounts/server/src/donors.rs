//! The last few people who came in, kept in memory to make decoys of when somebody comes alone.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use accounts_api::Profile;

use crate::domain::parts;

/// How many people are remembered.
const REMEMBERED: usize = 64;
/// With fewer people than this, invented ones are added.
const ENOUGH: usize = 8;

/// A few recent profiles; overwritten when they are dropped.
#[derive(Debug, Default)]
pub struct Donors(Mutex<VecDeque<Profile>>);

impl Donors {
    /// Remembers the last of `people`.
    pub fn remember<'a>(&self, people: impl DoubleEndedIterator<Item = &'a Profile>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for profile in people.rev().take(REMEMBERED) {
            kept.push_front(profile.clone());
        }
        kept.truncate(REMEMBERED);
    }

    /// Those remembered; with invented people where they and `at_hand` others are few.
    pub fn recall(&self, at_hand: usize) -> Vec<Profile> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut people: Vec<Profile> = kept.iter().cloned().collect();
        drop(kept);
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
        let donors = Donors::default();
        assert_eq!(donors.recall(1).len(), 8);
        assert_eq!(donors.recall(8).len(), 0);
        let people = parts::people();
        for _ in 0..20 {
            donors.remember(people.iter());
        }
        assert_eq!(donors.recall(1).len(), REMEMBERED);
    }
}
