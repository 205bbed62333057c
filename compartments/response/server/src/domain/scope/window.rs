//! Which hours of a log a window takes whole, in part, or not at all.

use cofferdam_core::Timestamp;
use cofferdam_index::{Detail, Part};

/// Going back by so little is no doubt: `keys` smooths its clock to two seconds.
const TOLERANCE_MS: i64 = 2_000;

/// From when to when, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// From.
    pub from_ms: i64,
    /// Until, included.
    pub to_ms: i64,
}

/// What of a part lies in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// Nothing.
    None,
    /// All of it.
    Whole,
    /// Each entry must be looked at.
    Some,
    /// All of it, for a doubt: the clock went back in it.
    Doubtful,
}

impl Window {
    /// A window; to the end of the log, whatever the clocks of other machines say, for `None`.
    #[must_use]
    pub fn new(from: Timestamp, to: Option<Timestamp>) -> Self {
        Self {
            from_ms: from.as_millisecond(),
            to_ms: to.map_or(i64::MAX, Timestamp::as_millisecond),
        }
    }

    /// A window that is longer at both ends.
    #[must_use]
    pub const fn widened(self, by_ms: i64) -> Self {
        Self {
            from_ms: self.from_ms.saturating_sub(by_ms),
            to_ms: self.to_ms.saturating_add(by_ms),
        }
    }

    /// Whether it holds an instant.
    #[must_use]
    pub fn holds(self, at: Timestamp) -> bool {
        (self.from_ms..=self.to_ms).contains(&at.as_millisecond())
    }

    /// How finely the index of a segment must be read.
    #[must_use]
    pub fn detail(self, parts: &[Part]) -> Detail {
        let all = |share: Share| parts.iter().all(|part| self.share(part) == share);
        if all(Share::Whole) {
            Detail::Whole
        } else if all(Share::None) {
            Detail::Head
        } else {
            Detail::Parts
        }
    }

    /// What of a part lies in it.
    #[must_use]
    pub fn share(self, part: &Part) -> Share {
        let within = part.first_ms >= self.from_ms && part.last_ms <= self.to_ms;
        let apart = |window: Self| part.last_ms < window.from_ms || part.first_ms > window.to_ms;
        if within {
            Share::Whole
        } else if part.back_ms > TOLERANCE_MS && !apart(self.widened(part.back_ms)) {
            Share::Doubtful
        } else if apart(self) {
            Share::None
        } else {
            Share::Some
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_went_back_is_counted_and_said() {
        let part = |first_ms, last_ms, back_ms| Part {
            first_ms,
            last_ms,
            back_ms,
            start: 0,
            end: 1,
            first: 0,
            entries: 1,
        };
        let window = Window { from_ms: 10_000, to_ms: 20_000 };
        assert_eq!(window.share(&part(10_000, 20_000, 0)), Share::Whole);
        assert_eq!(window.share(&part(9_999, 20_000, 0)), Share::Some);
        assert_eq!(window.share(&part(0, 9_999, 0)), Share::None);
        assert_eq!(window.share(&part(20_001, 30_000, 2_000)), Share::None);
        assert_eq!(window.share(&part(20_001, 30_000, 2_001)), Share::Doubtful);
        assert_eq!(window.share(&part(24_000, 30_000, 3_000)), Share::None);
    }
}
