//! The pace at which one mail provider gets one letter from this worker. Nothing waits here: the
//! time is an argument, in milliseconds since 1970.
//!
//! A provider that defers letters is slowed to half within a second, and recovers slowly. A
//! provider gets nothing until staff resume it if its mailboxes are gone or its readers complain.
//! Other providers keep their pace.

use std::collections::VecDeque;

use crate::ProviderConfig;

/// The number of the latest outcomes that are judged.
const WINDOW: usize = 10_000;
/// The fewest letters of which 5 % must bounce before a provider is paused.
const BOUNCE_FLOOR: usize = 1_000;
/// The number of the latest letters that are checked for a flood: more than a fifth deferred.
const RECENT: usize = 50;
/// The slowest pace, in letters a second.
const LEAST: f64 = 1.0;
/// The time after a slow-down in which the pace is not halved again.
const HALVE_EVERY_MS: i64 = 1_000;
/// The time after which the pace grows by a tenth if no letter was deferred.
const RAISE_EVERY_MS: i64 = 5_000;

/// The answer to a request to send one letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permit {
    /// The letter may go now.
    Now,
    /// The letter must wait until this time, in milliseconds since 1970.
    At(i64),
    /// The letter must wait until staff resume the provider.
    Paused,
}

/// A provider's answer to a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The provider accepted the letter.
    Accepted,
    /// The provider deferred the letter.
    Deferred,
    /// The provider has no such mailbox.
    Gone,
}

/// The pace of one provider.
#[derive(Debug)]
pub struct Pace {
    /// The configured limits.
    pub limits: ProviderConfig,
    /// The rate learned from deferrals, below the configured one.
    learned: Option<f64>,
    /// A token bucket: the number of letters that may go at once, as of `counted_at`.
    tokens: f64,
    counted_at: i64,
    /// The letters answered since `second_began`, and in the second before: the measured rate.
    second_began: i64,
    this_second: u32,
    last_second: u32,
    /// Whether each of the latest letters was deferred.
    recent: VecDeque<bool>,
    halved_at: i64,
    raised_at: i64,
    /// The latest final answers, oldest first.
    window: VecDeque<Judged>,
    gone: usize,
    complaints: usize,
    /// Set while the provider gets nothing.
    pub paused: Option<Pause>,
}

/// A letter with a final answer of the provider.
#[derive(Debug, Clone, Copy, Default)]
struct Judged {
    gone: bool,
    complained: bool,
}

/// The pause of a provider, which gets no letters meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// The reason, for staff.
    pub reason: String,
    /// Whether the ledger has the pause as well. The pause then ends when the ledger drops it.
    pub in_ledger: bool,
}

impl Pace {
    /// The pace at the start of a letter.
    #[must_use]
    pub fn new(limits: ProviderConfig) -> Self {
        Self {
            limits,
            learned: None,
            tokens: 1.0,
            counted_at: 0,
            second_began: 0,
            this_second: 0,
            last_second: 0,
            recent: VecDeque::with_capacity(RECENT),
            halved_at: i64::MIN / 2,
            raised_at: 0,
            window: VecDeque::new(),
            gone: 0,
            complaints: 0,
            paused: None,
        }
    }

    /// The most letters a second, `hours` after the letter's start; `None` without a limit.
    #[must_use]
    pub fn rate(&self, hours: usize) -> Option<f64> {
        let warm = self.limits.warm_up.get(hours).copied();
        let limits = [self.limits.rate.map(f64::from), warm.map(f64::from), self.learned];
        limits.into_iter().flatten().reduce(f64::min)
    }

    /// Asks to send one letter at `now`.
    pub fn ask(&mut self, now: i64, hours: usize) -> Permit {
        if self.paused.is_some() {
            return Permit::Paused;
        }
        self.raise(now, hours);
        let Some(rate) = self.rate(hours) else { return Permit::Now };
        let elapsed = (now - self.counted_at).clamp(0, 10_000);
        // At most a tenth of a second's letters go at once: bursts look like an attack.
        #[expect(clippy::cast_precision_loss, reason = "at most 10,000")]
        let earned = elapsed as f64 * rate / 1_000.0;
        self.tokens = (self.tokens + earned).min((rate / 10.0).max(1.0));
        self.counted_at = now;
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Permit::Now;
        }
        #[expect(clippy::cast_possible_truncation, reason = "at most a second or so")]
        let wait = ((1.0 - self.tokens) * 1_000.0 / rate).ceil() as i64;
        Permit::At(now + wait.max(1))
    }

    /// Learns from the answer to a letter.
    pub fn learn(&mut self, answer: Answer, now: i64, hours: usize) {
        if now - self.second_began >= 1_000 {
            self.last_second = if now - self.second_began < 2_000 { self.this_second } else { 0 };
            (self.second_began, self.this_second) = (now, 0);
        }
        let deferred = answer == Answer::Deferred;
        self.this_second += u32::from(!deferred);
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(deferred);
        if deferred {
            self.slow_down(now, hours);
            return;
        }
        if self.window.len() == WINDOW
            && let Some(oldest) = self.window.pop_front()
        {
            self.gone -= usize::from(oldest.gone);
            self.complaints -= usize::from(oldest.complained);
        }
        let gone = answer == Answer::Gone;
        self.window.push_back(Judged { gone, complained: false });
        self.gone += usize::from(gone);
        self.judge();
    }

    /// Counts an accepted letter that came back among the latest: it bounced, or its reader
    /// complained.
    pub fn came_back(&mut self, complained: bool) {
        let unmarked =
            |letter: &&mut Judged| !(if complained { letter.complained } else { letter.gone });
        let Some(letter) = self.window.iter_mut().rev().find(unmarked) else { return };
        if complained {
            letter.complained = true;
            self.complaints += 1;
        } else {
            letter.gone = true;
            self.gone += 1;
        }
        self.judge();
    }

    /// Ends a pause, and forgets the letters that caused it.
    pub fn resume(&mut self) {
        self.paused = None;
        self.window.clear();
        (self.gone, self.complaints) = (0, 0);
    }

    /// Pauses at 5 % hard bounces, or 0.1 % complaints, among the latest 10,000 letters.
    fn judge(&mut self) {
        if self.paused.is_some() {
            return;
        }
        let sent = self.window.len();
        let reason = if self.gone * 20 >= sent.max(BOUNCE_FLOOR) {
            format!("{} of the last {sent} letters found no mailbox", self.gone)
        } else if self.complaints * 1_000 >= WINDOW {
            format!("{} readers of the last {sent} letters complained", self.complaints)
        } else {
            return;
        };
        self.paused = Some(Pause { reason, in_ledger: false });
    }

    fn slow_down(&mut self, now: i64, hours: usize) {
        let deferred = self.recent.iter().filter(|deferred| **deferred).count();
        let flood = deferred * 5 > self.recent.len();
        if flood && now - self.halved_at >= HALVE_EVERY_MS {
            self.halve(now, hours);
        }
    }

    /// Slows down to half of the measured rate.
    pub fn halve(&mut self, now: i64, hours: usize) {
        let measured = f64::from(self.last_second.max(self.this_second)).max(LEAST);
        let from = self.rate(hours).map_or(measured, |rate| rate.min(measured));
        self.learned = Some((from / 2.0).max(LEAST));
        (self.halved_at, self.raised_at) = (now, now);
        (self.tokens, self.counted_at) = (0.0, now);
        self.recent.clear();
    }

    fn raise(&mut self, now: i64, hours: usize) {
        let Some(learned) = self.learned else { return };
        if now - self.raised_at < RAISE_EVERY_MS {
            return;
        }
        self.raised_at = now;
        // At the configured limit, nothing is held back any longer.
        let next = learned * 1.1 + 0.5;
        let limit = self.limits.rate.map(f64::from);
        let warm = self.limits.warm_up.get(hours).copied().map(f64::from);
        let ceiling = limit.into_iter().chain(warm).reduce(f64::min);
        self.learned =
            if ceiling.is_some_and(|ceiling| next >= ceiling) { None } else { Some(next) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(rate: Option<u32>) -> Pace {
        Pace::new(ProviderConfig { rate, ..ProviderConfig::unlimited("mail", 4) })
    }

    /// Sends all letters that may go in `ms` milliseconds, and returns their number.
    fn run(pace: &mut Pace, from: i64, ms: i64, answer: impl Fn(i64) -> Answer) -> u32 {
        let mut sent = 0;
        for now in from..from + ms {
            // Four connections send at most four letters in a millisecond.
            for _ in 0..4 {
                if pace.ask(now, 0) == Permit::Now {
                    sent += 1;
                    pace.learn(answer(now), now, 0);
                }
            }
        }
        sent
    }

    #[test]
    fn a_configured_rate_is_kept() {
        let sent = run(&mut provider(Some(100)), 0, 10_000, |_| Answer::Accepted);
        assert!((990..=1_011).contains(&sent), "{sent}");
        assert_eq!(run(&mut provider(None), 0, 1_000, |_| Answer::Accepted), 4_000);
    }

    #[test]
    fn the_warm_up_rises_by_the_hour() {
        let mut pace = provider(Some(1_000));
        pace.limits.warm_up = vec![10, 50];
        let rates = [0, 1, 2].map(|hours| pace.rate(hours));
        assert_eq!(rates, [Some(10.0), Some(50.0), Some(1_000.0)]);
        assert_eq!(pace.ask(0, 0), Permit::Now);
    }

    #[test]
    fn a_flood_of_deferrals_slows_it_within_two_seconds_and_it_recovers() {
        let mut pace = provider(None);
        run(&mut pace, 0, 2_000, |_| Answer::Accepted);
        run(&mut pace, 2_000, 2_000, |_| Answer::Deferred);
        assert!(pace.rate(0).unwrap() <= 2_000.0, "{:?}", pace.rate(0));
        let slow = run(&mut pace, 4_000, 1_000, |_| Answer::Deferred);
        assert!(slow < 1_100, "{slow} in the third second");
        let slower = run(&mut pace, 5_000, 20_000, |_| Answer::Deferred);
        assert!(slower < 2_500, "{slower} in twenty seconds");
        let low = pace.rate(0).unwrap();
        run(&mut pace, 25_000, 120_000, |_| Answer::Accepted);
        assert!(pace.rate(0).unwrap() > 5.0 * low);
    }

    #[test]
    fn missing_mailboxes_pause_at_five_percent_and_complaints_at_a_thousandth() {
        let mut pace = provider(None);
        run(&mut pace, 0, 5_000, |now| if now % 25 == 0 { Answer::Gone } else { Answer::Accepted });
        assert_eq!(pace.paused, None, "four percent");
        run(
            &mut pace,
            5_000,
            5_000,
            |now| if now % 16 == 0 { Answer::Gone } else { Answer::Accepted },
        );
        assert!(pace.paused.as_ref().unwrap().reason.contains("found no mailbox"));
        assert_eq!(pace.ask(10_000, 0), Permit::Paused);
        pace.resume();
        run(&mut pace, 10_000, 5_000, |_| Answer::Accepted);
        for _ in 0..9 {
            pace.came_back(true);
        }
        assert_eq!(pace.paused, None);
        pace.came_back(true);
        assert!(pace.paused.as_ref().unwrap().reason.contains("complained"));
    }

    fn learn(pace: &mut Pace, answer: Answer, letters: u32, now: i64) {
        for _ in 0..letters {
            pace.learn(answer, now, 0);
        }
    }

    #[test]
    fn a_permit_says_when_the_next_letter_may_go() {
        let mut pace = provider(Some(4));
        for (now, permit) in [
            (1_000, Permit::Now),
            (1_000, Permit::At(1_250)),
            (1_125, Permit::At(1_250)),
            (1_250, Permit::Now),
            // A long rest earns no burst.
            (9_000, Permit::Now),
            (9_000, Permit::At(9_250)),
        ] {
            assert_eq!(pace.ask(now, 0), permit, "{now}");
        }
        let mut fast = provider(Some(100));
        let burst = (0..100).filter(|_| fast.ask(5_000, 0) == Permit::Now).count();
        assert_eq!(burst, 10, "a tenth of a second's letters");
    }

    #[test]
    fn the_measured_rate_is_that_of_this_second_or_the_last() {
        // Forty letters in a second that begins at 1,000, and then one.
        for (then, halved) in [(1_999, 20.5), (2_000, 20.0), (2_999, 20.0), (3_000, 1.0)] {
            let mut pace = provider(None);
            learn(&mut pace, Answer::Accepted, 40, 1_000);
            learn(&mut pace, Answer::Accepted, 1, then);
            pace.halve(then, 0);
            assert_eq!(pace.rate(0), Some(halved), "{then}");
        }
    }

    #[test]
    fn more_than_a_fifth_of_fifty_deferred_is_a_flood_and_halves_once_a_second() {
        let mut pace = provider(None);
        learn(&mut pace, Answer::Accepted, 400, 1_000);
        learn(&mut pace, Answer::Deferred, 10, 1_500);
        assert_eq!(pace.rate(0), None);
        learn(&mut pace, Answer::Deferred, 1, 1_500);
        assert_eq!(pace.rate(0), Some(200.0));
        learn(&mut pace, Answer::Deferred, 1, 2_499);
        assert_eq!(pace.rate(0), Some(200.0));
        learn(&mut pace, Answer::Deferred, 1, 2_500);
        assert_eq!(pace.rate(0), Some(100.0));
    }

    #[test]
    fn a_pace_grows_by_a_tenth_every_five_seconds_up_to_its_limit() {
        for limit in [None, Some(100)] {
            let mut pace = provider(limit);
            learn(&mut pace, Answer::Accepted, 40, 1_000);
            pace.halve(1_500, 0);
            pace.ask(6_499, 0);
            assert_eq!(pace.rate(0), Some(20.0));
            pace.ask(6_500, 0);
            assert!((pace.rate(0).unwrap() - 22.5).abs() < 1e-9, "{:?}", pace.rate(0));
        }
        let mut pace = provider(Some(2));
        pace.halve(0, 0);
        assert_eq!(pace.rate(0), Some(1.0));
        pace.ask(5_000, 0);
        pace.ask(10_000, 0);
        assert_eq!(pace.rate(0), Some(2.0));
    }

    #[test]
    fn a_twentieth_without_mailbox_pauses_from_fifty_on() {
        let mut pace = provider(None);
        learn(&mut pace, Answer::Accepted, 100, 1_000);
        learn(&mut pace, Answer::Gone, 30, 1_000);
        for _ in 0..19 {
            pace.came_back(false);
        }
        assert_eq!(pace.paused, None);
        pace.came_back(false);
        let reason = pace.paused.as_ref().unwrap().reason.as_str();
        assert_eq!(reason, "50 of the last 130 letters found no mailbox");
        pace.resume();
        pace.came_back(false);
        learn(&mut pace, Answer::Gone, 49, 1_000);
        assert_eq!(pace.paused, None, "what led to the pause is forgotten");
    }

    #[test]
    fn only_the_latest_ten_thousand_letters_are_judged() {
        let mut pace = provider(None);
        learn(&mut pace, Answer::Gone, 49, 1_000);
        learn(&mut pace, Answer::Accepted, 9, 1_000);
        for _ in 0..9 {
            pace.came_back(true);
        }
        learn(&mut pace, Answer::Accepted, 10_000, 1_000);
        learn(&mut pace, Answer::Gone, 499, 1_000);
        for _ in 0..9 {
            pace.came_back(true);
        }
        assert_eq!(pace.paused, None);
        let mut other = provider(None);
        learn(&mut other, Answer::Accepted, 10, 1_000);
        for _ in 0..20 {
            other.came_back(true);
        }
        let reason = other.paused.as_ref().unwrap().reason.as_str();
        assert_eq!(reason, "10 readers of the last 10 letters complained", "each counts once");
        learn(&mut pace, Answer::Gone, 1, 1_000);
        assert!(pace.paused.unwrap().reason.starts_with("500 of the last 10000"));
    }
}
