//! Time as an argument: code that needs the time is handed a [`Clock`].

use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

/// A source of time.
pub trait Clock: Send + Sync {
    /// The current instant, in UTC. It may jump when an administrator or NTP sets the clock.
    fn now(&self) -> Timestamp;

    /// The time elapsed since a fixed moment of this process. Setting the clock does not change it.
    fn monotonic(&self) -> Duration;
}

/// Rounds an instant down to whole milliseconds: databases, logs and codes keep no more of it.
#[must_use]
pub fn whole_milliseconds(instant: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(instant.as_millisecond()).unwrap_or(instant)
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the machine's clock is read"
    )]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        START.elapsed()
    }
}

/// A clock for tests. It stands still until a test moves it.
#[derive(Debug)]
pub struct MockClock(Mutex<(Timestamp, Duration)>);

impl MockClock {
    /// A clock that stands at `start`.
    #[must_use]
    pub fn at(start: Timestamp) -> Self {
        Self(Mutex::new((start, Duration::ZERO)))
    }

    /// Lets `by` pass: both readings move.
    pub fn advance(&self, by: SignedDuration) {
        let mut clock = self.lock();
        clock.0 += by;
        clock.1 += by.unsigned_abs();
    }

    /// Sets the clock forward or back. No time passes, so [`Clock::monotonic`] stays.
    pub fn jump(&self, by: SignedDuration) {
        self.lock().0 += by;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, (Timestamp, Duration)> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Clock for MockClock {
    fn now(&self) -> Timestamp {
        self.lock().0
    }

    fn monotonic(&self) -> Duration {
        self.lock().1
    }
}
