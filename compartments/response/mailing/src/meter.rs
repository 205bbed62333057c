//! The number of letters that got their outcome in the last minute.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

const SECONDS: usize = 60;

/// Counts the outcomes of the last minute.
pub struct Meter {
    began: Instant,
    window: Mutex<Window>,
}

/// The outcomes of each second, the latest second first, up to the second that ends at `until`.
struct Window {
    until: Instant,
    seconds: [u64; SECONDS],
}

impl Default for Meter {
    fn default() -> Self {
        let began = Instant::now();
        Self { began, window: Mutex::new(Window { until: began, seconds: [0; SECONDS] }) }
    }
}

impl Meter {
    pub fn add(&self, letters: u64) {
        self.current().seconds[0] += letters;
    }

    pub fn last_minute(&self) -> u64 {
        self.current().seconds.iter().sum()
    }

    /// The part of that minute since the start, in seconds, at least one.
    pub fn seconds(&self) -> u64 {
        self.began.elapsed().as_secs().clamp(1, SECONDS as u64)
    }

    /// The window, moved on to now.
    fn current(&self) -> MutexGuard<'_, Window> {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let elapsed = window.until.elapsed().as_secs();
        let passed = usize::try_from(elapsed).unwrap_or(SECONDS).min(SECONDS);
        window.seconds.copy_within(..SECONDS - passed, passed);
        window.seconds[..passed].fill(0);
        window.until += Duration::from_secs(elapsed);
        window
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_minute_is_counted_and_then_forgotten() {
        let meter = Meter::default();
        meter.add(5);
        tokio::time::advance(Duration::from_secs(30)).await;
        meter.add(7);
        assert_eq!((meter.last_minute(), meter.seconds()), (12, 30));
        tokio::time::advance(Duration::from_secs(30)).await;
        assert_eq!((meter.last_minute(), meter.seconds()), (7, 60));
        tokio::time::advance(Duration::from_mins(5)).await;
        assert_eq!((meter.last_minute(), meter.seconds()), (0, 60));
    }
}
