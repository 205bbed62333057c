//! Time that can't be moved by setting the clock. Budgets and warrants follow the machine's clock
//! as long as it agrees with the time that really passed since the start. If somebody moves the
//! clock, they follow the time that really passed.

use std::time::Duration;

use cofferdam_core::Timestamp;
use jiff::SignedDuration;

/// The tolerated difference of the clock from the start on.
const STEP: SignedDuration = SignedDuration::from_secs(2);
/// The tolerated drift, as a divisor: a time service slews the clock by at most 1/2,000 (RFC 5905,
/// section 11.3), and twice that is allowed.
const SLEW: i32 = 1_000;

/// Compares the clock with the time that really passed.
pub struct SteadyTime {
    start: Timestamp,
    started: Duration,
}

/// A reading of the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// The time to use.
    pub now: Timestamp,
    /// The error of the machine's clock, if a time service can't be the cause.
    pub jump: Option<SignedDuration>,
}

impl SteadyTime {
    /// Starts with a clock that shows `wall` and a monotonic clock that shows `started`.
    pub const fn new(wall: Timestamp, started: Duration) -> Self {
        Self { start: wall, started }
    }

    /// The time when the clock shows `wall` and the monotonic clock shows `monotonic`.
    pub fn read(&self, wall: Timestamp, monotonic: Duration) -> Reading {
        let passed = monotonic.saturating_sub(self.started);
        let passed = SignedDuration::try_from(passed).unwrap_or(SignedDuration::MAX);
        let expected = self.start.checked_add(passed).unwrap_or(wall);
        let off = wall.duration_since(expected);
        if off.abs() <= STEP + passed / SLEW {
            Reading { now: wall, jump: None }
        } else {
            Reading { now: expected, jump: Some(off) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_jumps_is_not_followed() {
        let start: Timestamp = "2012-01-15T04:00:00Z".parse().unwrap();
        let steady = SteadyTime::new(start, Duration::from_secs(100));
        let at = |wall_s: i64, passed_s: u64| {
            steady.read(
                start + SignedDuration::from_secs(wall_s),
                Duration::from_secs(100 + passed_s),
            )
        };
        assert_eq!(at(60, 60).jump, None);
        assert_eq!(at(3_602, 3_600).jump, None, "slewed");
        let day_ahead = at(86_400, 60);
        assert_eq!(day_ahead.now, start + SignedDuration::from_secs(60));
        assert_eq!(day_ahead.jump, Some(SignedDuration::from_secs(86_340)));
        assert_eq!(at(-3_600, 60).now, start + SignedDuration::from_secs(60));
    }
}
