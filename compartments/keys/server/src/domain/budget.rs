//! Read budgets: so many records in any minute, hour and day.
//!
//! A window of length *T* is kept as 61 slots of *T*/60 (the day as 25 slots of an hour), the
//! oldest slot counted whole. So in *any* span of length *T* no more than the limit passes, and
//! memory does not grow with use.

use std::collections::{HashMap, VecDeque};

use cofferdam_core::{CallerName, Operation, Timestamp};

use crate::config::BudgetConfig;

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
        budgets: &[(&CallerName, BudgetConfig)],
        operation: Operation,
        now: Timestamp,
        records: u64,
    ) -> Result<(), Spent> {
        for (caller, budget) in budgets {
            let windows = self.windows(caller, operation);
            if let Some((window, limit, retry_after_s)) = windows.refusal(*budget, now, records) {
                return Err(Spent { caller: (*caller).clone(), window, limit, retry_after_s });
            }
        }
        for (caller, _) in budgets {
            self.record(caller, operation, now, records);
        }
        Ok(())
    }

    /// Counts what has happened, whatever the limit: for reading the log at start.
    pub fn record(
        &mut self,
        caller: &CallerName,
        operation: Operation,
        at: Timestamp,
        records: u64,
    ) {
        for window in &mut self.windows(caller, operation).0 {
            window.add(at, records);
        }
    }

    /// Records of the last hour.
    pub fn last_hour(&mut self, caller: &CallerName, operation: Operation, now: Timestamp) -> u64 {
        self.windows(caller, operation).0[1].used(now)
    }

    fn windows(&mut self, caller: &CallerName, operation: Operation) -> &mut Windows {
        self.uses.entry((caller.clone(), operation)).or_default()
    }
}

/// Minute, hour and day.
struct Windows([Window; 3]);

impl Default for Windows {
    fn default() -> Self {
        Self([
            Window::new("minute", 1_000, 61),
            Window::new("hour", 60_000, 61),
            Window::new("day", 3_600_000, 25),
        ])
    }
}

impl Windows {
    fn refusal(
        &mut self,
        budget: BudgetConfig,
        now: Timestamp,
        records: u64,
    ) -> Option<(&'static str, u64, Option<u64>)> {
        let limits = [budget.minute, budget.hour, budget.day];
        self.0.iter_mut().zip(limits).find_map(|(window, limit)| {
            let fits = window.used(now).saturating_add(records) <= limit;
            (!fits).then(|| (window.name, limit, window.wait(now, records, limit)))
        })
    }
}

struct Window {
    name: &'static str,
    slot_ms: i64,
    slots: i64,
    /// Slot number and records, ascending.
    used: VecDeque<(i64, u64)>,
}

impl Window {
    const fn new(name: &'static str, slot_ms: i64, slots: i64) -> Self {
        Self { name, slot_ms, slots, used: VecDeque::new() }
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
        self.forget(slot);
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

    const BUDGET: BudgetConfig = BudgetConfig { minute: 100, hour: 1_000, day: 5_000 };

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
        let tight = BudgetConfig { minute: 150, ..BUDGET };
        let mut charge = |who| {
            budgets.charge(&[(who, BUDGET), (&front, tight)], Operation::Release, start(), 100)
        };
        assert_eq!(charge(&one), Ok(()));
        assert_eq!(charge(&two).unwrap_err().caller, front);
        assert_eq!(budgets.last_hour(&two, Operation::Release, start()), 0, "all or none");
    }

    proptest! {
        /// Whatever the requests, and however often the use is read back from the log, no span
        /// of a minute, hour or day sees more than the limit.
        #[test]
        fn no_span_sees_more_than_the_limit(
            requests in prop::collection::vec((0_i64..40_000, 1_u64..120, any::<bool>()), 1..200)
        ) {
            let web = web();
            let mut budgets = Budgets::default();
            let mut now = start();
            let mut passed: Vec<(Timestamp, u64)> = Vec::new();
            for (gap_ms, records, restart) in requests {
                now += SignedDuration::from_millis(gap_ms);
                if restart {
                    budgets = Budgets::default();
                    for (at, n) in &passed {
                        budgets.record(&web, Operation::Release, *at, *n);
                    }
                }
                if budgets.charge(&[(&web, BUDGET)], Operation::Release, now, records).is_ok() {
                    passed.push((now, records));
                }
                for (seconds, limit) in [(60, 100), (3_600, 1_000), (86_400, 5_000)] {
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
