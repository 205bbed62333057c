//! Counts the records that each caller took in each minute, hour and day.

use std::collections::BTreeMap;
use std::path::Path;

use cofferdam_core::{CallerName, Operation, Timestamp};
use cofferdam_tlog::{Day, Segments, TlogError};
use keys_api::{Budget, Entry, Event};

/// The caller and the operation that a budget is for.
pub type BudgetKey = (CallerName, Operation);

/// The records taken in each window. A window without a record is not kept.
#[derive(Debug, Default)]
pub struct Use {
    minutes: BTreeMap<i64, u64>,
    hours: BTreeMap<i64, u64>,
    days: BTreeMap<i64, u64>,
}

const MINUTE: i64 = 60_000;

impl Use {
    fn add(&mut self, at_ms: i64, records: u64) {
        for (windows, length) in [
            (&mut self.minutes, MINUTE),
            (&mut self.hours, 60 * MINUTE),
            (&mut self.days, 24 * 60 * MINUTE),
        ] {
            *windows.entry(at_ms.div_euclid(length)).or_default() += records;
        }
    }

    /// The budget that would have let all but one busy window in a thousand pass, times `margin`.
    /// A longer window never gets a smaller budget than a shorter one.
    pub fn budget(&self, margin: f64) -> Budget {
        let of = |windows: &BTreeMap<i64, u64>| widened(percentile(windows), margin);
        let minute = of(&self.minutes);
        let hour = of(&self.hours).max(minute);
        let day = of(&self.days).max(hour);
        Budget { minute, hour, day, burst: minute.div_ceil(2) }
    }
}

/// The 99.9th percentile (nearest rank) of the windows in which something was taken.
fn percentile(windows: &BTreeMap<i64, u64>) -> u64 {
    let mut used: Vec<u64> = windows.values().copied().collect();
    used.sort_unstable();
    let rank = (used.len() * 999).div_ceil(1_000);
    rank.checked_sub(1).and_then(|at| used.get(at).copied()).unwrap_or(0)
}

/// A suggestion rounded up to two digits, so that nobody takes it for an exact figure.
fn widened(records: u64, margin: f64) -> u64 {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a suggestion; counts of records are far below 2^52"
    )]
    let wanted = (records as f64 * margin).ceil() as u64;
    let mut step = 1;
    while wanted / step >= 100 {
        step *= 10;
    }
    wanted.div_ceil(step) * step
}

/// The records that the measured part of a log says were taken.
#[derive(Debug, Default)]
pub struct Measured {
    /// The records that each caller took by each operation.
    pub uses: BTreeMap<BudgetKey, Use>,
    /// The instants of the first entry that was read, and of the last one.
    pub span: Option<(Timestamp, Timestamp)>,
}

impl Measured {
    fn add(&mut self, entry: &Entry) {
        let (first, _) = *self.span.get_or_insert((entry.at, entry.at));
        self.span = Some((first, entry.at));
        add_entry(&mut self.uses, entry);
    }

    /// The number of windows of a length, in hours, that fit into the span.
    pub fn windows(&self, hours: i64) -> i64 {
        self.span.map_or(0, |(from, to)| to.duration_since(from).as_hours() / hours)
    }
}

/// Reads the last `days` of a log, counted from its last entry and not from today.
pub fn measure(dir: &Path, days: i32) -> Result<Measured, TlogError> {
    let segments = Segments::open(dir, None)?;
    let names = segments.names();
    let since = names.last().map_or(Day(0), |last| last.day.minus(days - 1));
    let first = names.iter().find(|name| name.day >= since).map_or(0, |name| name.first);
    let mut measured = Measured::default();
    segments.scan(first, &mut |_, bytes| {
        if let Ok(entry) = Entry::decode(&bytes) {
            measured.add(&entry);
        }
        Ok::<_, TlogError>(())
    })?;
    Ok(measured)
}

fn add_entry(uses: &mut BTreeMap<BudgetKey, Use>, entry: &Entry) {
    let at = entry.at.as_millisecond();
    let mut add = |caller: &CallerName, operation, records: usize| {
        uses.entry((caller.clone(), operation)).or_default().add(at, records as u64);
    };
    match &entry.event {
        // Reads under a warrant are charged to no budget.
        Event::Released { warrant: None, caller, operation, records, .. } => {
            add(caller, *operation, records.as_slice().len());
        }
        Event::Hardened { caller, records, .. } => {
            add(caller, Operation::Harden, records.as_slice().len());
        }
        Event::HardenedBeside { caller, count, .. } => {
            add(caller, Operation::Harden, *count as usize);
        }
        Event::Enrolled { caller, records, attested, .. } => {
            let operation = if *attested { Operation::Attest } else { Operation::Enrol };
            add(caller, operation, records.as_slice().len());
        }
        // The entry does not tell whether the customer was there. A page of a customer who is there asks for
        // what is set as well.
        Event::Missed { warrant: None, alone: true, caller, records, .. } => {
            add(caller, Operation::Release, records.as_slice().len());
        }
        Event::Indexed { caller, count, .. } | Event::Sought { caller, count, .. } => {
            add(caller, Operation::Index, *count as usize);
        }
        Event::Erased { caller, records, .. } => {
            add(caller, Operation::Erase, records.as_slice().len());
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_lets_ordinary_days_pass_and_one_wild_minute_in_a_thousand_not() {
        let mut used = Use::default();
        for minute in 0..2_000_i64 {
            used.add(minute * MINUTE, 10);
        }
        used.add(2_000 * MINUTE, 90_000);
        let budget = used.budget(1.5);
        assert_eq!((budget.minute, budget.burst), (15, 8));
        // The wild minute makes one hour of 34 wild. That is more than one in a thousand, so it
        // counts.
        assert_eq!(budget.hour, 140_000);
        assert!(budget.day >= budget.hour);
    }

    #[test]
    fn figures_have_two_digits() {
        assert_eq!(widened(0, 2.0), 0);
        assert_eq!(widened(7, 1.5), 11);
        assert_eq!(widened(1_234, 1.5), 1_900);
    }
}
