//! Time as an argument: whoever needs the time is handed a [`Clock`].

use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The instant now, in UTC.
    fn now(&self) -> Timestamp;

    /// How much time has really passed since some fixed moment of this process, whatever
    /// happened to the clock.
    fn monotonic(&self) -> Duration;
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

/// A clock for tests: it stands still until it is told to move.
#[derive(Debug)]
pub struct MockClock(Mutex<(Timestamp, Duration)>);

impl MockClock {
    /// A clock that stands at `start`.
    #[must_use]
    pub fn at(start: Timestamp) -> Self {
        Self(Mutex::new((start, Duration::ZERO)))
    }

    /// Lets time pass.
    pub fn advance(&self, by: SignedDuration) {
        let mut clock = self.lock();
        clock.0 += by;
        clock.1 += by.unsigned_abs();
    }

    /// Sets the clock forward or back, without time passing.
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
