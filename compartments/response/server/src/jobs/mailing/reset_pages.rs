//! Letters bring people to the pages on which they set new passwords: no more than those can bear.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use accounts_api::ReadResetLoad;
use response_api::ResetPages;

use super::run::{Run, whole};
use crate::domain::governor::{Pace, ProviderConfig};

/// How often `accounts` is asked.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The pace of a whole letter, by the load of those pages.
pub struct ResetPace {
    /// How busy they may be, in percent.
    limit: u8,
    pace: Mutex<Pace>,
    busy_percent: Mutex<Option<u8>>,
}

impl ResetPace {
    /// Without a limit, as long as they are not busier than `limit` percent.
    pub fn new(limit: u8) -> Self {
        let everybody = ProviderConfig::unlimited("everybody", 0);
        Self { limit, pace: Mutex::new(Pace::new(everybody)), busy_percent: Mutex::default() }
    }

    pub fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what `accounts` says. One that does not answer may be too busy to.
    pub fn look(&self, busy_percent: Option<u8>, now: i64) {
        *self.busy_percent.lock().unwrap_or_else(PoisonError::into_inner) = busy_percent;
        if busy_percent.is_none_or(|busy| busy > self.limit) {
            self.pace().halve(now, 0);
        }
    }

    pub fn status(&self) -> ResetPages {
        let busy_percent = *self.busy_percent.lock().unwrap_or_else(PoisonError::into_inner);
        ResetPages { busy_percent, rate: self.pace().rate(0).map(whole) }
    }
}

/// Asks `accounts` until the letter stops.
pub async fn follow(run: Arc<Run>) {
    let Some(pages) = &run.reset_pages else { return };
    while !run.must_stop() {
        let load = run.app.accounts.call(&ReadResetLoad {}).await;
        if let Err(e) = &load {
            tracing::warn!(cause = %e, "the load of the reset pages can't be read");
        }
        pages.look(load.ok().map(|load| load.busy_percent), run.app.now().as_millisecond());
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::governor::{Leave, Mark};

    /// Letters that go in a second.
    fn second(pages: &ResetPace, from: i64) -> u32 {
        let mut sent = 0;
        for now in from..from + 1_000 {
            if pages.pace().ask(now, 0) == Leave::Now {
                sent += 1;
                pages.pace().mark(Mark::Taken, now, 0);
            }
        }
        sent
    }

    #[test]
    fn busy_pages_halve_the_pace_and_idle_ones_let_it_grow() {
        let pages = ResetPace::new(70);
        pages.look(Some(70), 0);
        assert_eq!((second(&pages, 0), second(&pages, 1_000)), (1_000, 1_000), "no limit");
        pages.look(Some(71), 2_000);
        let half = second(&pages, 2_000);
        assert!((490..=510).contains(&half), "{half}");
        pages.look(None, 3_000);
        let quarter = second(&pages, 3_000);
        assert!((240..=260).contains(&quarter), "nobody answers: {quarter}");
        pages.look(Some(10), 8_500);
        assert!(second(&pages, 8_500) > quarter);
        assert_eq!(pages.status().busy_percent, Some(10));
    }
}
