//! The pace of callers: whoever asks faster waits for a turn.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cofferdam_core::CallerName;
use tokio::time::Instant;

/// The time between two requests of a caller, in the long run.
const STEP: Duration = Duration::from_millis(1);
/// The requests of a caller that need no turn after a rest: one on each connection that it may have.
const AT_ONCE: u32 = 256;

/// The turns of callers, each with its own. A caller has at most as many requests waiting as
/// connections, so a wait is short.
#[derive(Default)]
pub struct Pace(Mutex<HashMap<CallerName, Instant>>);

impl Pace {
    /// Waits for the caller's next turn.
    pub async fn wait(&self, caller: &CallerName) {
        let now = Instant::now();
        let turn = self.take_turn(caller, now);
        if turn > now {
            tokio::time::sleep_until(turn).await;
        }
    }

    /// Takes the caller's next turn. One in the past is over at once.
    fn take_turn(&self, caller: &CallerName, now: Instant) -> Instant {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let rested = now.checked_sub(STEP * AT_ONCE).unwrap_or(now);
        let next = turns.entry(caller.clone()).or_insert(rested);
        let turn = (*next).max(rested);
        *next = turn + STEP;
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
            assert!(pace.take_turn(&busy, now) <= now);
        }
        assert_eq!(pace.take_turn(&busy, now), now + STEP);
        for _ in 0..1_000 {
            pace.take_turn(&busy, now);
        }
        assert_eq!(pace.take_turn(&busy, now), now + STEP * 1_002);
        assert!(pace.take_turn(&other, now) <= now);
        let later = now + Duration::from_mins(1);
        assert!(pace.take_turn(&busy, later) <= later, "after a rest it need not wait");
    }
}
