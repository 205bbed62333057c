//! The passwords that are tried for one customer. A caller's budget bounds them for all customers
//! together; this bounds them for each.

use std::collections::HashMap;

use cofferdam_core::{Record, Timestamp};

/// The number of passwords for a customer within an hour at which staff are told.
const MANY: u32 = 100;
/// The most passwords for a customer within an hour.
const MOST: u32 = 1_000;
/// The span of a count, in milliseconds.
const HOUR_MS: i64 = 3_600_000;
/// The most customers whose passwords are counted. Beyond, those with a single one are forgotten.
const MAX_COUNTED: usize = 1_000_000;

/// The passwords of each customer in the current hour.
#[derive(Debug, Default)]
pub struct Guesses {
    began_ms: i64,
    counts: HashMap<Record, u32>,
}

/// The result of counting the passwords of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guessed {
    /// No customer has many.
    Few,
    /// A customer has many from now on.
    Many(Record),
    /// A customer has had the most already.
    TooMany(Record),
}

impl Guesses {
    /// Counts the passwords of a call, each with its customer.
    pub fn count(&mut self, records: impl Iterator<Item = Record>, now: Timestamp) -> Guessed {
        let now_ms = now.as_millisecond();
        if now_ms.saturating_sub(self.began_ms) >= HOUR_MS {
            *self = Self { began_ms: now_ms, counts: HashMap::new() };
        }
        if self.counts.len() > MAX_COUNTED {
            self.counts.retain(|_, count| *count > 1);
        }
        let mut guessed = Guessed::Few;
        for record in records {
            let count = self.counts.entry(record).or_default();
            *count = count.saturating_add(1);
            match *count {
                count if count > MOST => return Guessed::TooMany(record),
                MANY => guessed = Guessed::Many(record),
                _ => {}
            }
        }
        guessed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_passwords_for_a_customer_are_bounded_within_an_hour() {
        let at = |ms| Timestamp::from_millisecond(ms).unwrap();
        let mut guesses = Guesses::default();
        let mut guess = |record, ms| guesses.count(std::iter::once(Record(record)), at(ms));
        for n in 1..=MOST {
            let expected = if n == MANY { Guessed::Many(Record(7)) } else { Guessed::Few };
            assert_eq!(guess(7, HOUR_MS + i64::from(n)), expected);
        }
        assert_eq!(guess(7, HOUR_MS + 2_000), Guessed::TooMany(Record(7)));
        assert_eq!(guess(8, HOUR_MS + 2_000), Guessed::Few);
        assert_eq!(guess(7, 2 * HOUR_MS + 2_000), Guessed::Few, "another hour");
        let several = std::iter::repeat_n(Record(9), 1_001);
        assert_eq!(guesses.count(several, at(2 * HOUR_MS + 2_001)), Guessed::TooMany(Record(9)));
    }
}
