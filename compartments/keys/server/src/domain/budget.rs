//! Read budgets: so many records in any minute, hour and day, and a burst beyond the minute's.
//!
//! A window of length *T* is kept as slots of *T*/60 (the day in hours), the oldest slot counted
//! whole. So in *any* span of length *T* no more than the limit passes, and memory does not grow
//! with use. The burst is a window of an hour that counts what went beyond the minute's limit.

use std::collections::{HashMap, VecDeque};

use cofferdam_core::{CallerName, Operation, Timestamp};
use keys_api::Budget;

/// Slots more that windows shared by instances keep: a credit is spent within a second of its
/// reservation, so that it may stand one slot before its use.
pub const SHARED_SLACK: i64 = 1;

/// The use of every budget.
#[derive(Default)]
pub struct Budgets {
    uses: HashMap<(CallerName, Operation), Windows>,
}

/// A budget that is spent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spent {
    /// Whose.
    pub caller: CallerName,
    /// Which limit: `minute`, `hour` or `day`.
    pub window: &'static str,
    /// The limit, in records.
    pub limit: u64,
    /// In how many seconds the same request could pass; `None`: it is larger than the limit.
    pub retry_after_s: Option<u64>,
}

impl Budgets {
    /// Charges `records` to all of `budgets`, or to none.
    pub fn charge(
        &mut self,
        budgets: &[(&CallerName, Budget)],
        operation: Operation,
        now: Timestamp,
        records: u64,
    ) -> Result<(), Spent> {
        if let Some(spent) = self.refusal(budgets, operation, now, records) {
            return Err(spent);
        }
        for (caller, budget) in budgets {
            self.windows(caller, operation).record(now, records, budget.minute);
        }
        Ok(())
    }

    /// What refuses `records`, if anything does.
    pub fn refusal(
        &mut self,
        budgets: &[(&CallerName, Budget)],
        operation: Operation,
        now: Timestamp,
        records: u64,
    ) -> Option<Spent> {
        budgets.iter().find_map(|(caller, budget)| {
            let refusal = self.windows(caller, operation).refusal(*budget, now, records)?;
            Some(refusal.of(caller))
        })
    }

    /// Counts what has happened, whatever the limit: for reading the log at start. `minute` is
    /// the limit beyond which it was burst.
    pub fn record(
        &mut self,
        caller: &CallerName,
        operation: Operation,
        at: Timestamp,
        records: u64,
        minute: u64,
    ) {
        self.windows(caller, operation).record(at, records, minute);
    }

    /// Records of the last hour.
    pub fn last_hour(&mut self, caller: &CallerName, operation: Operation, now: Timestamp) -> u64 {
        self.windows(caller, operation).hour.used(now)
    }

    fn windows(&mut self, caller: &CallerName, operation: Operation) -> &mut Windows {
        let key = (caller.clone(), operation);
        self.uses.entry(key).or_insert_with(|| Windows::new(0))
    }
}

/// The windows of one budget.
#[derive(Clone)]
pub struct Windows {
    minute: Window,
    hour: Window,
    day: Window,
    burst: Window,
}

/// Which limit stands in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    window: &'static str,
    limit: u64,
    retry_after_s: Option<u64>,
}

impl Refusal {
    /// The same with its owner.
    pub fn of(self, caller: &CallerName) -> Spent {
        let Self { window, limit, retry_after_s } = self;
        Spent { caller: caller.clone(), window, limit, retry_after_s }
    }
}

impl Windows {
    /// Empty windows that keep `slack` slots more than their span.
    pub fn new(slack: i64) -> Self {
        Self {
            minute: Window::new("minute", 1_000, 61 + slack),
            hour: Window::new("hour", 60_000, 61 + slack),
            day: Window::new("day", 3_600_000, 25 + slack),
            burst: Window::new("burst", 60_000, 61 + slack),
        }
    }

    /// What keeps `records` more from passing.
    pub fn refusal(&mut self, budget: Budget, now: Timestamp, records: u64) -> Option<Refusal> {
        let refuse = |window, limit, retry_after_s| Some(Refusal { window, limit, retry_after_s });
        let beyond = self.beyond(now, records, budget.minute);
        if self.burst.used(now).saturating_add(beyond) > budget.burst && beyond > 0 {
            let wait = if records <= budget.minute {
                self.minute.wait(now, records, budget.minute)
            } else {
                self.burst.wait(now, records - budget.minute, budget.burst)
            };
            return refuse("minute", budget.minute, wait);
        }
        for (window, limit) in [(&mut self.hour, budget.hour), (&mut self.day, budget.day)] {
            if window.used(now).saturating_add(records) > limit {
                return refuse(window.name, limit, window.wait(now, records, limit));
            }
        }
        None
    }

    /// Counts `records`.
    pub fn record(&mut self, at: Timestamp, records: u64, minute: u64) {
        let beyond = self.beyond(at, records, minute);
        for window in [&mut self.minute, &mut self.hour, &mut self.day] {
            window.add(at, records);
        }
        if beyond > 0 {
            self.burst.add(at, beyond);
        }
    }

    /// Takes back what was counted at `at` and did not happen. What it took of the burst stays
    /// taken: it errs on the safe side.
    pub fn give_back(&mut self, at: Timestamp, records: u64) {
        for window in [&mut self.minute, &mut self.hour, &mut self.day] {
            window.take(at, records);
        }
    }

    /// How many of `records` go beyond the minute's limit.
    fn beyond(&mut self, now: Timestamp, records: u64, minute: u64) -> u64 {
        self.minute.used(now).saturating_add(records).saturating_sub(minute).min(records)
    }

    /// Fills a slot as it was kept.
    pub fn recall(&mut self, span: &str, slot: i64, records: u64) {
        if let Some(window) = self.all_mut().into_iter().find(|window| window.name == span) {
            window.used.push_back((slot, records));
        }
    }

    /// Each window with the oldest slot that counts, and the slots that were changed.
    pub fn rows(&self) -> impl Iterator<Item = (&'static str, i64, Vec<(i64, u64)>)> {
        [&self.minute, &self.hour, &self.day, &self.burst].into_iter().map(|window| {
            let newest = window.used.back().map_or(i64::MIN, |(slot, _)| *slot);
            (window.name, newest.saturating_sub(window.slots), window.changed())
        })
    }

    fn all_mut(&mut self) -> [&mut Window; 4] {
        [&mut self.minute, &mut self.hour, &mut self.day, &mut self.burst]
    }
}

#[derive(Clone)]
struct Window {
    name: &'static str,
    slot_ms: i64,
    slots: i64,
    /// Slot number and records, ascending.
    used: VecDeque<(i64, u64)>,
    /// Slots that were changed since they were recalled.
    touched: Vec<i64>,
}

impl Window {
    const fn new(name: &'static str, slot_ms: i64, slots: i64) -> Self {
        Self { name, slot_ms, slots, used: VecDeque::new(), touched: Vec::new() }
    }

    /// The slot of `at`; never before the newest one, so that a clock that is set back opens
    /// no budget again.
    fn slot(&self, at: Timestamp) -> i64 {
        let slot = at.as_millisecond().div_euclid(self.slot_ms);
        self.used.back().map_or(slot, |(newest, _)| slot.max(*newest))
    }

    fn add(&mut self, at: Timestamp, records: u64) {
        let slot = self.slot(at);
        match self.used.back_mut() {
            Some((newest, used)) if *newest == slot => *used = used.saturating_add(records),
            _ => self.used.push_back((slot, records)),
        }
        self.touch(slot);
        self.forget(slot);
    }

    fn take(&mut self, at: Timestamp, records: u64) {
        let slot = at.as_millisecond().div_euclid(self.slot_ms);
        if let Some((_, used)) = self.used.iter_mut().find(|(of, _)| *of == slot) {
            *used = used.saturating_sub(records);
            self.touch(slot);
        }
    }

    fn touch(&mut self, slot: i64) {
        // Only windows that are kept in a database ask which slots changed.
        if !self.touched.contains(&slot) {
            self.touched.retain(|other| *other > slot - self.slots);
            self.touched.push(slot);
        }
    }

    fn changed(&self) -> Vec<(i64, u64)> {
        self.used.iter().filter(|(slot, _)| self.touched.contains(slot)).copied().collect()
    }

    fn used(&mut self, now: Timestamp) -> u64 {
        self.forget(self.slot(now));
        self.used.iter().map(|(_, used)| used).sum()
    }

    fn forget(&mut self, slot: i64) {
        while self.used.front().is_some_and(|(oldest, _)| *oldest <= slot - self.slots) {
            self.used.pop_front();
        }
    }

    /// In how many seconds `records` more will fit; `None` when they never do.
    fn wait(&self, now: Timestamp, records: u64, limit: u64) -> Option<u64> {
        let mut used: u64 = self.used.iter().map(|(_, used)| used).sum();
        if records > limit {
            return None;
        }
        let freed_at = self.used.iter().find_map(|(slot, freed)| {
            used -= freed;
            (used + records <= limit).then_some((slot + self.slots) * self.slot_ms)
        })?;
        let ms = (freed_at - now.as_millisecond()).max(1);
        Some(u64::try_from(ms).unwrap_or(1).div_ceil(1_000))
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;

    const BUDGET: Budget = Budget { minute: 100, hour: 1_000, day: 5_000, burst: 0 };

    fn start() -> Timestamp {
        "2012-01-15T04:00:00Z".parse().unwrap()
    }

    fn web() -> CallerName {
        "web-ky-1".parse().unwrap()
    }

    #[test]
    fn a_spent_budget_says_when_to_come_back() {
        let (mut budgets, web) = (Budgets::default(), web());
        let mut charge = |at, n| budgets.charge(&[(&web, BUDGET)], Operation::Release, at, n);
        assert_eq!(charge(start(), 100), Ok(()));
        let spent = charge(start(), 1).unwrap_err();
        assert_eq!((spent.window, spent.limit, spent.retry_after_s), ("minute", 100, Some(61)));
        assert_eq!(charge(start(), 101).unwrap_err().retry_after_s, None);
        let back = start() + SignedDuration::from_secs(61);
        assert_eq!(charge(back, 100), Ok(()));
    }

    #[test]
    fn a_fronts_budget_bounds_all_its_callers() {
        let mut budgets = Budgets::default();
        let (one, two, front) = (web(), "web-ky-2".parse().unwrap(), "accounts".parse().unwrap());
        let tight = Budget { minute: 150, ..BUDGET };
        let mut charge = |who| {
            budgets.charge(&[(who, BUDGET), (&front, tight)], Operation::Release, start(), 100)
        };
        assert_eq!(charge(&one), Ok(()));
        assert_eq!(charge(&two).unwrap_err().caller, front);
        assert_eq!(budgets.last_hour(&two, Operation::Release, start()), 0, "all or none");
    }

    #[test]
    fn a_burst_goes_beyond_the_minute_and_not_beyond_the_hour() {
        let (mut budgets, web) = (Budgets::default(), web());
        let bursting = Budget { burst: 50, hour: 200, ..BUDGET };
        let mut charge = |at, n| budgets.charge(&[(&web, bursting)], Operation::Release, at, n);
        assert_eq!(charge(start(), 150), Ok(()));
        assert_eq!(charge(start(), 1).unwrap_err().window, "minute");
        let next = start() + SignedDuration::from_secs(61);
        assert_eq!(charge(next, 101).unwrap_err().window, "minute", "the burst is used up");
        assert_eq!(charge(next, 51).unwrap_err().window, "hour");
        assert_eq!(charge(next, 50), Ok(()));
    }

    proptest! {
        /// Whatever the requests, and however often the use is read back from the log, no span
        /// of a minute, hour or day sees more than the limit.
        #[test]
        fn no_span_sees_more_than_the_limit(
            requests in prop::collection::vec((0_i64..40_000, 1_u64..160, any::<bool>()), 1..200),
            burst in 0_u64..80,
        ) {
            let budget = Budget { burst, ..BUDGET };
            let web = web();
            let mut budgets = Budgets::default();
            let mut now = start();
            let mut passed: Vec<(Timestamp, u64)> = Vec::new();
            for (gap_ms, records, restart) in requests {
                now += SignedDuration::from_millis(gap_ms);
                if restart {
                    budgets = Budgets::default();
                    for (at, n) in &passed {
                        budgets.record(&web, Operation::Release, *at, *n, budget.minute);
                    }
                }
                if budgets.charge(&[(&web, budget)], Operation::Release, now, records).is_ok() {
                    passed.push((now, records));
                }
                for (seconds, limit) in [(60, 100 + burst), (3_600, 1_000), (86_400, 5_000)] {
                    let since = now - SignedDuration::from_secs(seconds);
                    let sum: u64 =
                        passed.iter().filter(|(at, _)| *at > since).map(|(_, n)| n).sum();
                    prop_assert!(sum <= limit, "{sum} in {seconds} s");
                }
            }
        }

        #[test]
        fn a_clock_set_back_opens_nothing(back_s in 0_i64..100_000) {
            let web = web();
            let mut budgets = Budgets::default();
            prop_assert!(budgets.charge(&[(&web, BUDGET)], Operation::Release, start(), 100).is_ok());
            let past = start() - SignedDuration::from_secs(back_s);
            prop_assert!(budgets.charge(&[(&web, BUDGET)], Operation::Release, past, 1).is_err());
        }
    }
}
