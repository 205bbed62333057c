//! The pace at which one mail provider gets one letter from this worker. Nothing waits here: the
//! time is an argument, in milliseconds since 1970.
//!
//! A provider that defers letters is slowed to half within a second, and recovers slowly. A
//! provider gets nothing until staff resume it if its mailboxes are gone, if it blocks us or refuses
//! letters by policy, or if its readers complain. Other providers keep their pace.

use std::collections::VecDeque;

use cofferdam_mail::BounceReason;

use crate::ProviderConfig;

/// The number of the latest outcomes that are judged.
const WINDOW: usize = 10_000;
/// The reasons that pause a provider, and their names. A full mailbox says nothing about us or our
/// list, and neither does a letter that expired.
const PAUSING: [(BounceReason, &str); 3] = [
    (BounceReason::NoMailbox, "found no mailbox"),
    (BounceReason::Blocked, "were blocked"),
    (BounceReason::Policy, "were refused by policy"),
];
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
    /// The provider refused the letter for good.
    Refused(BounceReason),
}

/// A letter that came back after the relay had accepted it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CameBackAs {
    /// The provider refused the letter for good.
    Bounced(BounceReason),
    /// Its reader complained.
    Complaint,
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
    /// The letters of the window that were refused, for each reason of [`PAUSING`].
    refused: [usize; PAUSING.len()],
    complaints: usize,
    /// Set while the provider gets nothing.
    pub paused: Option<Pause>,
}

/// A letter with a final answer of the provider.
#[derive(Debug, Clone, Copy, Default)]
struct Judged {
    /// The place in [`PAUSING`] of the reason for which it was refused.
    refused: Option<usize>,
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
            refused: [0; PAUSING.len()],
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
            if let Some(reason) = oldest.refused {
                self.refused[reason] -= 1;
            }
            self.complaints -= usize::from(oldest.complained);
        }
        let refused = match answer {
            Answer::Refused(why) => place_of(why),
            Answer::Accepted | Answer::Deferred => None,
        };
        self.window.push_back(Judged { refused, complained: false });
        if let Some(reason) = refused {
            self.refused[reason] += 1;
        }
        self.judge();
    }

    /// Counts an accepted letter that came back among the latest.
    pub fn came_back(&mut self, how: CameBackAs) {
        let mut latest = self.window.iter_mut().rev();
        match how {
            CameBackAs::Complaint => {
                let Some(letter) = latest.find(|letter| !letter.complained) else { return };
                letter.complained = true;
                self.complaints += 1;
            }
            CameBackAs::Bounced(why) => {
                let Some(reason) = place_of(why) else { return };
                let Some(letter) = latest.find(|letter| letter.refused.is_none()) else { return };
                letter.refused = Some(reason);
                self.refused[reason] += 1;
            }
        }
        self.judge();
    }

    /// Ends a pause, and forgets the letters that caused it.
    pub fn resume(&mut self) {
        self.paused = None;
        self.window.clear();
        (self.refused, self.complaints) = ([0; PAUSING.len()], 0);
    }

    /// Pauses at 5 % of one of the pausing reasons, or 0.1 % complaints, among the latest 10,000
    /// letters.
    fn judge(&mut self) {
        if self.paused.is_some() {
            return;
        }
        let sent = self.window.len();
        let many = |count: usize| count * 20 >= sent.max(BOUNCE_FLOOR);
        let reason = if let Some(reason) = self.refused.into_iter().position(many) {
            let (count, what) = (self.refused[reason], PAUSING[reason].1);
            format!("{count} of the last {sent} letters {what}")
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

/// The place of a reason in [`PAUSING`]; `None` for one that pauses nothing.
fn place_of(why: BounceReason) -> Option<usize> {
    PAUSING.iter().position(|(reason, _)| *reason == why)
}

#[cfg(test)]
mod tests;
