//! Read budgets: a limit of records in any minute, hour and day, and a burst beyond the minute's
//! limit.
//!
//! A window of length *T* is kept as slots of *T*/60 (the day's as hours), and its oldest slot
//! counts whole. So no more than the limit passes in *any* span of length *T*, and memory does not
//! grow with use. The burst is a window of an hour that counts the records beyond the minute's
//! limit.

use std::collections::{HashMap, VecDeque};

use cofferdam_core::{CallerName, Operation, Timestamp};
use keys_api::Budget;

/// Extra slots of windows that instances share. A credit is spent within a second of its
/// reservation, so it may be one slot older than its use.
pub const SHARED_SLACK: i64 = 1;

/// The slots by which a use may come before the newest one: uses at the same time come in any order.
const OUT_OF_ORDER: i64 = 2;

/// One use of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    /// The operation that is charged.
    pub operation: Operation,
    /// The instant of the use.
    pub at: Timestamp,
    /// The number of records.
    pub records: u64,
}

/// The use of every budget.
#[derive(Default)]
pub struct Budgets {
    uses: HashMap<(CallerName, Operation), Windows>,
}

/// A budget that is spent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spent {
    /// The caller whose budget it is.
    pub caller: CallerName,
    /// The limit that refuses: `minute`, `hour` or `day`.
    pub window: &'static str,
    /// The limit, in records.
    pub limit: u64,
    /// The seconds after which the same request could pass; `None` if it is larger than the limit.
    pub retry_after_s: Option<u64>,
}

impl Budgets {
    /// Charges all of `budgets`, or none.
    pub fn charge(
        &mut self,
        budgets: &[(&CallerName, Budget)],
        charge: Charge,
    ) -> Result<(), Spent> {
        if let Some(spent) = self.refusal(budgets, charge) {
            return Err(spent);
        }
        for (caller, budget) in budgets {
            self.record(caller, charge, budget.minute);
        }
        Ok(())
    }

    /// The first budget that refuses a charge.
    pub fn refusal(&mut self, budgets: &[(&CallerName, Budget)], charge: Charge) -> Option<Spent> {
        budgets.iter().find_map(|(caller, budget)| {
            let windows = self.windows(caller, charge.operation);
            Some(windows.refusal(*budget, charge.at, charge.records)?.of(caller))
        })
    }

    /// Counts a use that has happened, whatever the limit. Records beyond `minute` count as burst.
    pub fn record(&mut self, caller: &CallerName, charge: Charge, minute: u64) {
        self.windows(caller, charge.operation).record(charge.at, charge.records, minute);
    }

    /// The records of the last hour.
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

/// The limit that stands in the way of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    window: &'static str,
    limit: u64,
    retry_after_s: Option<u64>,
}

impl Refusal {
    /// The refusal as the spent budget of `caller`.
    pub fn of(self, caller: &CallerName) -> Spent {
        let Self { window, limit, retry_after_s } = self;
        Spent { caller: caller.clone(), window, limit, retry_after_s }
    }
}

/// The part of one window that the database keeps.
#[derive(Debug, PartialEq, Eq)]
pub struct KeptWindow {
    /// The window's name.
    pub name: &'static str,
    /// The number of the oldest slot that counts and was not moved.
    pub oldest: i64,
    /// The slots that were changed since they were read, with their records.
    pub changed: Vec<(i64, u64)>,
}

impl Windows {
    /// Makes empty windows that keep `slack` slots more than their span.
    pub fn new(slack: i64) -> Self {
        Self {
            minute: Window::new("minute", 1_000, 61 + slack),
            hour: Window::new("hour", 60_000, 61 + slack),
            day: Window::new("day", 3_600_000, 25 + slack),
            burst: Window::new("burst", 60_000, 61 + slack),
        }
    }

    /// The limit that refuses `records` more.
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

    /// Takes back records that were counted at `at` and not used. Their part of the burst stays
    /// counted, which errs on the safe side.
    pub fn give_back(&mut self, at: Timestamp, records: u64) {
        for window in [&mut self.minute, &mut self.hour, &mut self.day] {
            window.take_back(at, records);
        }
    }

    /// Fills a slot from the database.
    pub fn recall(&mut self, name: &str, slot: i64, records: u64) {
        let windows = [&mut self.minute, &mut self.hour, &mut self.day, &mut self.burst];
        if let Some(window) = windows.into_iter().find(|window| window.name == name) {
            window.used.push_back((slot, records));
        }
    }

    /// The windows in the form that the database keeps.
    pub fn kept(&self) -> impl Iterator<Item = KeptWindow> {
        [&self.minute, &self.hour, &self.day, &self.burst].into_iter().map(|window| {
            let newest = window.used.back().map_or(i64::MIN, |(slot, _)| *slot);
            let oldest = newest.saturating_sub(window.slots).saturating_add(1);
            let oldest = if window.moved { i64::MAX } else { oldest };
            KeptWindow { name: window.name, oldest, changed: window.changed() }
        })
    }

    /// The part of `records` that goes beyond the minute's limit.
    fn beyond(&mut self, now: Timestamp, records: u64, minute: u64) -> u64 {
        self.minute.used(now).saturating_add(records).saturating_sub(minute).min(records)
    }
}

#[derive(Clone)]
struct Window {
    name: &'static str,
    slot_ms: i64,
    /// The number of slots that count, the newest included.
    slots: i64,
    /// The slot numbers with their records, ascending.
    used: VecDeque<(i64, u64)>,
    /// The slots that were changed since they were read from a database.
    touched: Vec<i64>,
    /// Whether all slots have other numbers since then.
    moved: bool,
}

impl Window {
    const fn new(name: &'static str, slot_ms: i64, slots: i64) -> Self {
        Self { name, slot_ms, slots, used: VecDeque::new(), touched: Vec::new(), moved: false }
    }

    /// The slot of `at`. It is never before the newest slot, so that a clock that is set back
    /// reopens no budget. Then all uses count as if they had just been made, and the window goes on from
    /// there: a clock that was once hours ahead would otherwise close the budget for hours.
    fn slot(&mut self, at: Timestamp) -> i64 {
        let slot = at.as_millisecond().div_euclid(self.slot_ms);
        let Some((newest, _)) = self.used.back() else { return slot };
        let ahead = newest - slot;
        if ahead <= OUT_OF_ORDER {
            return slot.max(*newest);
        }
        for (of, _) in &mut self.used {
            *of -= ahead;
        }
        self.touched = self.used.iter().map(|(of, _)| *of).collect();
        self.moved = true;
        slot
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

    fn take_back(&mut self, at: Timestamp, records: u64) {
        let slot = at.as_millisecond().div_euclid(self.slot_ms);
        if let Some((_, used)) = self.used.iter_mut().find(|(of, _)| *of == slot) {
            *used = used.saturating_sub(records);
            self.touch(slot);
        }
    }

    /// Notes a change of a slot. Slots that no longer count leave the notes, so that the notes stay
    /// short for a window that no database keeps.
    fn touch(&mut self, slot: i64) {
        if !self.touched.contains(&slot) {
            self.touched.retain(|other| *other > slot - self.slots);
            self.touched.push(slot);
        }
    }

    fn changed(&self) -> Vec<(i64, u64)> {
        self.used.iter().filter(|(slot, _)| self.touched.contains(slot)).copied().collect()
    }

    fn used(&mut self, now: Timestamp) -> u64 {
        let slot = self.slot(now);
        self.forget(slot);
        self.used.iter().map(|(_, used)| used).sum()
    }

    fn forget(&mut self, slot: i64) {
        while self.used.front().is_some_and(|(oldest, _)| *oldest <= slot - self.slots) {
            self.used.pop_front();
        }
    }

    /// The seconds after which `records` more will fit; `None` if they never will.
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
mod tests;
