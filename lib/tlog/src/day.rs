//! Days in UTC. A log has one segment and one index per day.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, date};

/// A day in UTC, counted from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

const EPOCH: Date = date(1970, 1, 1);
const DAY_MS: i64 = 86_400_000;

impl Day {
    /// The day that contains an instant.
    #[must_use]
    pub fn of(at: Timestamp) -> Self {
        Self(i32::try_from(at.as_millisecond().div_euclid(DAY_MS)).unwrap_or(i32::MAX))
    }

    /// The day with a calendar date.
    #[must_use]
    pub fn of_date(date: Date) -> Self {
        Self(date.since(EPOCH).map_or(0, |span| span.get_days()))
    }

    /// The calendar date of the day.
    #[must_use]
    pub fn date(self) -> Date {
        EPOCH.saturating_add(jiff::Span::new().try_days(self.0).unwrap_or_default())
    }

    /// The start of the day, in milliseconds since 1970.
    #[must_use]
    pub fn start_ms(self) -> i64 {
        i64::from(self.0) * DAY_MS
    }

    /// The day that is `days` days earlier.
    #[must_use]
    pub const fn minus(self, days: i32) -> Self {
        Self(self.0.saturating_sub(days))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.date().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_converts_to_its_date_and_back() {
        for (text, days) in [("1970-01-01", 0), ("2012-01-15", 15_354), ("2024-02-29", 19_782)] {
            let day = Day(days);
            assert_eq!(day.to_string(), text);
            assert_eq!(Day::of_date(text.parse().unwrap()), day);
            let noon: Timestamp = format!("{text}T12:00:00Z").parse().unwrap();
            assert_eq!(Day::of(noon), day);
            assert_eq!(day.start_ms(), noon.as_millisecond() - 43_200_000);
            assert_eq!(day.minus(3), Day(days - 3));
        }
        assert_eq!(Day::of("1969-12-31T23:00:00Z".parse().unwrap()), Day(-1));
    }
}
