//! The pace of those who ask: whoever asks faster waits for a turn.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cofferdam_core::CallerName;
use tokio::time::Instant;

/// How often somebody may ask.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// The time between two requests, in the long run.
    pub step: Duration,
    /// The requests that need no turn after a rest.
    pub at_once: u32,
}

/// The limit of a caller. After a rest, it may ask once on each connection that it may have.
const OF_CALLER: Limit = Limit { step: Duration::from_millis(1), at_once: 256 };
/// The turns that a refused request takes. A frozen caller, or one without a grant, has no reason to
/// ask often.
const REFUSED: u32 = 10;

/// The next turn of one who asks; `None` before the first request.
#[derive(Debug, Default)]
pub struct NextTurn(Option<Instant>);

impl NextTurn {
    /// Takes the next turns, and returns the first. One in the past is over at once.
    pub fn take(&mut self, limit: Limit, turns: u32, now: Instant) -> Instant {
        let rested = now.checked_sub(limit.step * limit.at_once).unwrap_or(now);
        let turn = self.0.unwrap_or(rested).max(rested);
        self.0 = Some(turn + limit.step * turns);
        turn
    }
}

/// The next turn of each caller. A caller has at most as many requests waiting as
/// connections, so a wait is short.
#[derive(Default)]
pub struct Pace(Mutex<HashMap<CallerName, NextTurn>>);

impl Pace {
    /// Waits for the caller's next turn.
    pub async fn wait(&self, caller: &CallerName) {
        tokio::time::sleep_until(self.take_turns(caller, 1, Instant::now())).await;
    }

    /// Notes that the request for which the caller waited was refused.
    pub fn note_refusal(&self, caller: &CallerName) {
        self.take_turns(caller, REFUSED - 1, Instant::now());
    }

    fn take_turns(&self, caller: &CallerName, turns: u32, now: Instant) -> Instant {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(caller.clone()).or_default().take(OF_CALLER, turns, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_that_asks_without_end_waits_and_others_do_not() {
        let (pace, now) = (Pace::default(), Instant::now() + Duration::from_hours(1));
        let [busy, other] = ["web-ky-1", "web-ky-2"].map(|name| name.parse().unwrap());
        let Limit { step, at_once } = OF_CALLER;
        for _ in 0..=at_once {
            assert!(pace.take_turns(&busy, 1, now) <= now);
        }
        assert_eq!(pace.take_turns(&busy, 1, now), now + step);
        pace.take_turns(&busy, 1_000, now);
        assert_eq!(pace.take_turns(&busy, 1, now), now + step * 1_002);
        assert!(pace.take_turns(&other, 1, now) <= now);
        let later = now + Duration::from_mins(1);
        assert!(pace.take_turns(&busy, 1, later) <= later, "after a rest it need not wait");
    }
}
