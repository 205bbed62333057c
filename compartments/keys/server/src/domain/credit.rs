//! Credits: records that this instance has taken from budgets shared with other instances. It
//! spends them without asking the database for each call.

use cofferdam_core::Timestamp;
use jiff::SignedDuration;

/// The time for which a credit may be spent. Shared windows keep one extra slot, so that a credit
/// never expires before its use.
const LIFE: SignedDuration = SignedDuration::from_millis(900);
/// The largest credit, in records.
const MAX_SIZE: u64 = 100_000;

/// A credit: records that were taken at one instant, some of them spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Credit {
    taken: Timestamp,
    size: u64,
    left: u64,
}

impl Credit {
    /// Makes a credit of `size` records, of which `spent` are used at once.
    pub const fn new(taken: Timestamp, size: u64, spent: u64) -> Self {
        Self { taken, size, left: size.saturating_sub(spent) }
    }

    /// Spends `records`; `None` if the credit is too old or too small.
    pub fn spend(self, now: Timestamp, records: u64) -> Option<Self> {
        let left = self.left.checked_sub(records).filter(|_| self.is_fresh(now))?;
        Some(Self { left, ..self })
    }

    /// Returns records that were not used after all.
    pub const fn give_back(&mut self, records: u64) {
        self.left += records;
    }

    /// The instant at which the credit was taken, and the records that are left of it.
    pub fn rest(self) -> Option<(Timestamp, u64)> {
        (self.left > 0).then_some((self.taken, self.left))
    }

    /// The number of records to ask for, for a call of `records`: twice the last credit if it was
    /// used up within its life, but at most a quarter of the minute's budget; otherwise only the
    /// number that the call needs.
    pub fn next_size(self, now: Timestamp, records: u64, minute: u64) -> u64 {
        if !self.is_fresh(now) {
            return records;
        }
        (self.size * 2).min(MAX_SIZE).min(minute / 4).max(records)
    }

    fn is_fresh(self, now: Timestamp) -> bool {
        now >= self.taken && now < self.taken + LIFE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after_ms(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(1_326_600_000_000 + ms).unwrap()
    }

    #[test]
    fn a_credit_is_spent_within_its_life_and_no_further() {
        let credit = Credit::new(after_ms(0), 10, 4);
        assert_eq!(credit.rest(), Some((after_ms(0), 6)));
        let spent = credit.spend(after_ms(899), 6).unwrap();
        assert_eq!(spent.rest(), None);
        assert_eq!(credit.spend(after_ms(0), 7), None, "too small");
        assert_eq!(credit.spend(after_ms(900), 1), None, "too old");
        assert_eq!(credit.spend(after_ms(-1), 1), None, "the clock went back");
        let mut returned = spent;
        returned.give_back(2);
        assert_eq!(returned.rest(), Some((after_ms(0), 2)));
    }

    #[test]
    fn a_credit_grows_while_it_is_used_up() {
        let size = |size, records, minute| {
            Credit::new(after_ms(0), size, size).next_size(after_ms(899), records, minute)
        };
        assert_eq!(size(10, 1, 1_000), 20);
        assert_eq!(size(10, 30, 1_000), 30, "never less than the call needs");
        assert_eq!(size(200, 1, 1_000), 250, "a quarter of the minute");
        assert_eq!(size(90_000, 1, 1_000_000), 100_000);
        let stale = Credit::new(after_ms(0), 10, 10);
        assert_eq!(stale.next_size(after_ms(900), 3, 1_000), 3);
    }
}
