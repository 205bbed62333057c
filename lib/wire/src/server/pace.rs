//! The pace of callers: whoever asks faster waits for a turn.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cofferdam_core::CallerName;
use tokio::time::Instant;

/// The time between two requests of a caller, in the long run.
const STEP: Duration = Duration::from_millis(1);
/// The turns that a refused request takes. A frozen caller, or one without a grant, has no reason to
/// ask often.
const REFUSED: u32 = 10;
/// The requests of a caller that need no turn after a rest: one on each connection that it may have.
const AT_ONCE: u32 = 256;

/// The next turn of each caller. A caller has at most as many requests waiting as
/// connections, so a wait is short.
#[derive(Default)]
pub struct Pace(Mutex<HashMap<CallerName, Instant>>);

impl Pace {
    /// Waits for the caller's next turn.
    pub async fn wait(&self, caller: &CallerName) {
        tokio::time::sleep_until(self.take_turns(caller, 1, Instant::now())).await;
    }

    /// Notes that the request for which the caller waited was refused.
    pub fn note_refusal(&self, caller: &CallerName) {
        self.take_turns(caller, REFUSED - 1, Instant::now());
    }

    /// Takes the caller's next turns, and returns the first. One in the past is over at once.
    fn take_turns(&self, caller: &CallerName, turns: u32, now: Instant) -> Instant {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let rested = now.checked_sub(STEP * AT_ONCE).unwrap_or(now);
        let next = all.entry(caller.clone()).or_insert(rested);
        let turn = (*next).max(rested);
        *next = turn + STEP * turns;
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_that_asks_without_end_waits_and_others_do_not() {
        let (pace, now) = (Pace::default(), Instant::now() + Duration::from_hours(1));
        let [busy, other] = ["web-ky-1", "web-ky-2"].map(|name| name.parse().unwrap());
        for _ in 0..=AT_ONCE {
            assert!(pace.take_turns(&busy, 1, now) <= now);
        }
        assert_eq!(pace.take_turns(&busy, 1, now), now + STEP);
        pace.take_turns(&busy, 1_000, now);
        assert_eq!(pace.take_turns(&busy, 1, now), now + STEP * 1_002);
        assert!(pace.take_turns(&other, 1, now) <= now);
        let later = now + Duration::from_mins(1);
        assert!(pace.take_turns(&busy, 1, later) <= later, "after a rest it need not wait");
    }
}
