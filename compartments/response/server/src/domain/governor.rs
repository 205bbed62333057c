//! How fast which mail provider is written to. One for each letter and instance: rules only, the
//! time is an argument, and nothing waits here.
//!
//! A provider that turns letters away gets half as many a second at once, and slowly more again.
//! One whose mailboxes are gone, or whose readers complain, gets none until staff say so. Nobody
//! else is the slower for it.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};

/// What is known of a mail provider, as in `response.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// Its name.
    pub name: String,
    /// The domains of its mailboxes.
    #[serde(default)]
    pub domains: Vec<String>,
    /// What the names of its mail exchanges end in.
    #[serde(default)]
    pub exchanges: Vec<String>,
    /// Connections at once.
    #[serde(default = "four")]
    pub connections: u32,
    /// Letters a second; no limit without it.
    #[serde(default)]
    pub rate: Option<u32>,
    /// Letters over one connection.
    #[serde(default = "thousand")]
    pub per_connection: u32,
    /// Letters a second in the first hours, one number an hour.
    #[serde(default)]
    pub warm_up: Vec<u32>,
}

impl ProviderConfig {
    /// One without a limit.
    #[must_use]
    pub fn unlimited(name: &str, connections: u32) -> Self {
        Self {
            name: name.to_owned(),
            domains: vec![],
            exchanges: vec![],
            connections,
            rate: None,
            per_connection: thousand(),
            warm_up: vec![],
        }
    }
}

const fn four() -> u32 {
    4
}

const fn thousand() -> u32 {
    1_000
}

/// Everybody who is no named provider's.
pub const OTHERS: &str = "others";

/// The outcomes that are looked back at.
const WINDOW: usize = 10_000;
/// Of so many letters, 5 % gone pauses.
const BOUNCE_FLOOR: usize = 1_000;
/// Deferrals among the last so many letters are a flood when they are more than a fifth.
const RECENT: usize = 50;
/// No provider gets less than so many a second.
const LEAST: f64 = 1.0;
/// After a slow-down it is not halved again for so long.
const HALVE_EVERY_MS: i64 = 1_000;
/// A quiet provider gets a tenth more as often as this.
const RAISE_EVERY_MS: i64 = 5_000;

/// Whether a letter may go now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// Now.
    Now,
    /// Not before this time, in milliseconds.
    At(i64),
    /// Not until staff say so.
    Never,
}

/// What became of a letter, as far as its provider goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Taken.
    Taken,
    /// Put off.
    Deferred,
    /// No such mailbox.
    Gone,
}

/// How a provider does.
#[derive(Debug)]
pub struct Pace {
    /// What it is limited to.
    pub limits: ProviderConfig,
    /// What was learned, below the limit.
    learned: Option<f64>,
    /// Letters that may go at once, and since when that was counted.
    tokens: f64,
    counted: i64,
    /// Letters taken since `second` began: the measured rate.
    second: i64,
    this_second: u32,
    last_second: u32,
    recent: VecDeque<bool>,
    halved: i64,
    raised: i64,
    /// The last outcomes: gone, complained.
    window: VecDeque<(bool, bool)>,
    gone: usize,
    complaints: usize,
    /// Why it gets none.
    pub paused: Option<Pause>,
}

/// Why a provider gets no letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// As staff read it.
    pub why: String,
    /// Whether the ledger says so, too: then it ends when the ledger says so no more.
    pub kept: bool,
}

impl Pace {
    /// At the start of a letter.
    #[must_use]
    pub fn new(limits: ProviderConfig) -> Self {
        Self {
            limits,
            learned: None,
            tokens: 1.0,
            counted: 0,
            second: 0,
            this_second: 0,
            last_second: 0,
            recent: VecDeque::with_capacity(RECENT),
            halved: i64::MIN / 2,
            raised: 0,
            window: VecDeque::new(),
            gone: 0,
            complaints: 0,
            paused: None,
        }
    }

    /// Letters a second at most, `hours` after the start.
    #[must_use]
    pub fn rate(&self, hours: usize) -> Option<f64> {
        let warm = self.limits.warm_up.get(hours).copied();
        let limits = [self.limits.rate.map(f64::from), warm.map(f64::from), self.learned];
        limits.into_iter().flatten().reduce(f64::min)
    }

    /// Asks for leave to send one letter now.
    pub fn ask(&mut self, now: i64, hours: usize) -> Leave {
        if self.paused.is_some() {
            return Leave::Never;
        }
        self.raise(now, hours);
        let Some(rate) = self.rate(hours) else { return Leave::Now };
        let elapsed = (now - self.counted).clamp(0, 10_000);
        // A tenth of a second's letters at once: bursts look like an attack.
        #[expect(clippy::cast_precision_loss, reason = "at most 10,000")]
        let earned = elapsed as f64 * rate / 1_000.0;
        self.tokens = (self.tokens + earned).min((rate / 10.0).max(1.0));
        self.counted = now;
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Leave::Now;
        }
        #[expect(clippy::cast_possible_truncation, reason = "at most a second or so")]
        let wait = ((1.0 - self.tokens) * 1_000.0 / rate).ceil() as i64;
        Leave::At(now + wait.max(1))
    }

    /// Takes what became of a letter.
    pub fn mark(&mut self, mark: Mark, now: i64, hours: usize) {
        if now - self.second >= 1_000 {
            self.last_second = if now - self.second < 2_000 { self.this_second } else { 0 };
            (self.second, self.this_second) = (now, 0);
        }
        let deferred = mark == Mark::Deferred;
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
            && let Some((gone, complained)) = self.window.pop_front()
        {
            self.gone -= usize::from(gone);
            self.complaints -= usize::from(complained);
        }
        self.window.push_back((mark == Mark::Gone, false));
        self.gone += usize::from(mark == Mark::Gone);
        self.judge();
    }

    /// A letter came back after all, or its reader complained: counted among the last ones.
    pub fn came_back(&mut self, complained: bool) {
        let free = |entry: &&mut (bool, bool)| if complained { !entry.1 } else { !entry.0 };
        let Some(entry) = self.window.iter_mut().rev().find(free) else { return };
        if complained {
            entry.1 = true;
            self.complaints += 1;
        } else {
            entry.0 = true;
            self.gone += 1;
        }
        self.judge();
    }

    /// Staff say that it may go on.
    pub fn resume(&mut self) {
        self.paused = None;
        self.window.clear();
        (self.gone, self.complaints) = (0, 0);
    }

    /// Hard bounces of 5 %, or complaints of 0.1 %, among the last 10,000.
    fn judge(&mut self) {
        if self.paused.is_some() {
            return;
        }
        let sent = self.window.len();
        let why = if self.gone * 20 >= sent.max(BOUNCE_FLOOR) {
            format!("{} of the last {sent} letters found no mailbox", self.gone)
        } else if self.complaints * 1_000 >= WINDOW {
            format!("{} readers of the last {sent} letters complained", self.complaints)
        } else {
            return;
        };
        self.paused = Some(Pause { why, kept: false });
    }

    fn slow_down(&mut self, now: i64, hours: usize) {
        let deferred = self.recent.iter().filter(|deferred| **deferred).count();
        let flood = deferred * 5 > self.recent.len();
        if flood && now - self.halved >= HALVE_EVERY_MS {
            self.halve(now, hours);
        }
    }

    /// Goes on at half of what it was in fact.
    pub fn halve(&mut self, now: i64, hours: usize) {
        let measured = f64::from(self.last_second.max(self.this_second)).max(LEAST);
        let from = self.rate(hours).map_or(measured, |rate| rate.min(measured));
        self.learned = Some((from / 2.0).max(LEAST));
        (self.halved, self.raised) = (now, now);
        (self.tokens, self.counted) = (0.0, now);
        self.recent.clear();
    }

    fn raise(&mut self, now: i64, hours: usize) {
        let Some(learned) = self.learned else { return };
        if now - self.raised < RAISE_EVERY_MS {
            return;
        }
        self.raised = now;
        // A tenth more of what the provider takes in fact; past its limit nothing is held back.
        let next = learned * 1.1 + 0.5;
        let limit = self.limits.rate.map(f64::from);
        let warm = self.limits.warm_up.get(hours).copied().map(f64::from);
        let ceiling = limit.into_iter().chain(warm).reduce(f64::min);
        self.learned =
            if ceiling.is_some_and(|ceiling| next >= ceiling) { None } else { Some(next) };
    }
}

/// Which provider has a domain's mailboxes.
#[derive(Debug, Default)]
pub struct Providers {
    domains: HashMap<String, usize>,
    exchanges: Vec<(String, usize)>,
}

impl Providers {
    /// The providers of a configuration, by their place in it.
    #[must_use]
    pub fn new(all: &[ProviderConfig]) -> Self {
        let mut providers = Self::default();
        for (place, of) in all.iter().enumerate() {
            for domain in &of.domains {
                providers.domains.insert(domain.to_ascii_lowercase(), place);
            }
            for exchange in &of.exchanges {
                providers.exchanges.push((exchange.to_ascii_lowercase(), place));
            }
        }
        providers
    }

    /// By the domain alone.
    #[must_use]
    pub fn of_domain(&self, domain: &str) -> Option<usize> {
        self.domains.get(domain).copied()
    }

    /// Whether a provider may have further domains, told by their exchanges.
    #[must_use]
    pub const fn knows_exchanges(&self) -> bool {
        !self.exchanges.is_empty()
    }

    /// By the names of a domain's exchanges.
    #[must_use]
    pub fn of_exchanges(&self, names: &[String]) -> Option<usize> {
        let ends = |name: &str, suffix: &str| {
            name == suffix || name.strip_suffix(suffix).is_some_and(|rest| rest.ends_with('.'))
        };
        names.iter().find_map(|name| {
            let found = self.exchanges.iter().find(|(suffix, _)| ends(name, suffix));
            found.map(|(_, place)| *place)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(rate: Option<u32>) -> Pace {
        Pace::new(ProviderConfig { rate, ..ProviderConfig::unlimited("mail", 4) })
    }

    /// Letters that go in a span, each with an outcome.
    fn run(pace: &mut Pace, from: i64, ms: i64, mark: impl Fn(i64) -> Mark) -> u32 {
        let mut sent = 0;
        for now in from..from + ms {
            // At most four a millisecond, as four connections would.
            for _ in 0..4 {
                if pace.ask(now, 0) == Leave::Now {
                    sent += 1;
                    pace.mark(mark(now), now, 0);
                }
            }
        }
        sent
    }

    #[test]
    fn a_limit_is_kept_and_no_limit_is_none() {
        let sent = run(&mut provider(Some(100)), 0, 10_000, |_| Mark::Taken);
        assert!((990..=1_011).contains(&sent), "{sent}");
        assert_eq!(run(&mut provider(None), 0, 1_000, |_| Mark::Taken), 4_000);
    }

    #[test]
    fn the_warm_up_rises_by_the_hour() {
        let mut pace = provider(Some(1_000));
        pace.limits.warm_up = vec![10, 50];
        let rates = [0, 1, 2].map(|hours| pace.rate(hours));
        assert_eq!(rates, [Some(10.0), Some(50.0), Some(1_000.0)]);
        assert_eq!(pace.ask(0, 0), Leave::Now);
    }

    #[test]
    fn a_flood_of_deferrals_slows_it_within_two_seconds_and_it_recovers() {
        let mut pace = provider(None);
        run(&mut pace, 0, 2_000, |_| Mark::Taken);
        run(&mut pace, 2_000, 2_000, |_| Mark::Deferred);
        assert!(pace.rate(0).unwrap() <= 2_000.0, "{:?}", pace.rate(0));
        let slow = run(&mut pace, 4_000, 1_000, |_| Mark::Deferred);
        assert!(slow < 1_100, "{slow} in the third second");
        let slower = run(&mut pace, 5_000, 20_000, |_| Mark::Deferred);
        assert!(slower < 2_500, "{slower} in twenty seconds");
        let low = pace.rate(0).unwrap();
        run(&mut pace, 25_000, 120_000, |_| Mark::Taken);
        assert!(pace.rate(0).unwrap() > 5.0 * low);
    }

    #[test]
    fn missing_mailboxes_pause_at_five_percent_and_complaints_at_a_thousandth() {
        let mut pace = provider(None);
        run(&mut pace, 0, 5_000, |now| if now % 25 == 0 { Mark::Gone } else { Mark::Taken });
        assert_eq!(pace.paused, None, "four percent");
        run(&mut pace, 5_000, 5_000, |now| if now % 16 == 0 { Mark::Gone } else { Mark::Taken });
        assert!(pace.paused.as_ref().unwrap().why.contains("found no mailbox"));
        assert_eq!(pace.ask(10_000, 0), Leave::Never);
        pace.resume();
        run(&mut pace, 10_000, 5_000, |_| Mark::Taken);
        for _ in 0..9 {
            pace.came_back(true);
        }
        assert_eq!(pace.paused, None);
        pace.came_back(true);
        assert!(pace.paused.as_ref().unwrap().why.contains("complained"));
    }

    #[test]
    fn a_domain_is_told_by_name_or_by_its_exchanges() {
        let mut google = provider(None).limits;
        google.domains = vec!["Gmail.com".into()];
        google.exchanges = vec!["google.com".into()];
        let providers = Providers::new(&[google]);
        assert_eq!(providers.of_domain("gmail.com"), Some(0));
        assert_eq!(providers.of_domain("shop.example"), None);
        assert_eq!(providers.of_exchanges(&["aspmx.l.google.com".into()]), Some(0));
        assert_eq!(providers.of_exchanges(&["notgoogle.com".into()]), None);
    }
}
