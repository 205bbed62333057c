//! Letters bring customers to the pages on which they set new passwords. A letter's pace follows
//! the load of these pages.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use response_api::ResetPages;

use crate::ProviderConfig;
use crate::mailing::{Mailing, whole_rate};
use crate::pace::Pace;

/// The time between two reads of the load.
const READ_EVERY: Duration = Duration::from_secs(5);

/// The pace of a whole letter, by the load of the reset pages.
pub struct ResetPace {
    limit_percent: u8,
    pace: Mutex<Pace>,
    busy_percent: Mutex<Option<u8>>,
}

impl ResetPace {
    /// Makes a pace that is unlimited as long as the pages are at most `limit_percent` busy.
    pub fn new(limit_percent: u8) -> Self {
        let everybody = ProviderConfig::unlimited("everybody", 0);
        Self {
            limit_percent,
            pace: Mutex::new(Pace::new(everybody)),
            busy_percent: Mutex::default(),
        }
    }

    pub fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Halves the pace if the pages are too busy. Pages that do not answer count as too busy.
    pub fn set_load(&self, busy_percent: Option<u8>, now_ms: i64) {
        *self.busy_percent.lock().unwrap_or_else(PoisonError::into_inner) = busy_percent;
        if busy_percent.is_none_or(|busy| busy > self.limit_percent) {
            self.pace().halve(now_ms, 0);
        }
    }

    pub fn status(&self) -> ResetPages {
        let busy_percent = *self.busy_percent.lock().unwrap_or_else(PoisonError::into_inner);
        ResetPages { busy_percent, rate: self.pace().rate(0).map(whole_rate) }
    }
}

/// Reads the load until the mailing ends.
pub async fn follow_load(mailing: Arc<Mailing>) {
    let Some(pace) = &mailing.reset_pace else { return };
    while !mailing.must_stop() {
        let busy_percent = mailing.ports.reset_pages.busy_percent().await;
        pace.set_load(busy_percent, mailing.ports.now().as_millisecond());
        tokio::time::sleep(READ_EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pace::{Answer, Permit};

    /// Sends for a second, and returns the number of letters.
    fn send_for_a_second(pages: &ResetPace, from: i64) -> u32 {
        let mut sent = 0;
        for now in from..from + 1_000 {
            if pages.pace().ask(now, 0) == Permit::Now {
                sent += 1;
                pages.pace().learn(Answer::Accepted, now, 0);
            }
        }
        sent
    }

    #[test]
    fn busy_pages_halve_the_pace_and_idle_pages_let_it_grow() {
        let pages = ResetPace::new(70);
        pages.set_load(Some(70), 0);
        let unlimited = (send_for_a_second(&pages, 0), send_for_a_second(&pages, 1_000));
        assert_eq!(unlimited, (1_000, 1_000));
        pages.set_load(Some(71), 2_000);
        let half = send_for_a_second(&pages, 2_000);
        assert!((490..=510).contains(&half), "{half}");
        pages.set_load(None, 3_000);
        let quarter = send_for_a_second(&pages, 3_000);
        assert!((240..=260).contains(&quarter), "no answer: {quarter}");
        pages.set_load(Some(10), 8_500);
        assert!(send_for_a_second(&pages, 8_500) > quarter);
        assert_eq!(pages.status().busy_percent, Some(10));
        assert!(pages.status().rate.is_some());
    }
}
