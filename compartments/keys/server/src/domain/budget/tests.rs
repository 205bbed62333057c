use std::collections::BTreeMap;

use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;

const BUDGET: Budget = Budget { minute: 100, hour: 1_000, day: 5_000, burst: 0 };
/// A budget whose minute and hour never refuse.
const DAILY: Budget = Budget { minute: 5_000, hour: 5_000, day: 5_000, burst: 0 };

fn at(text: &str) -> Timestamp {
    format!("2012-01-{text}Z").parse().unwrap()
}

fn start() -> Timestamp {
    at("15T04:00:00")
}

fn web() -> CallerName {
    "web-ky-1".parse().unwrap()
}

/// The use of one budget of one caller.
struct One {
    budgets: Budgets,
    caller: CallerName,
    budget: Budget,
}

impl One {
    fn new(budget: Budget) -> Self {
        Self { budgets: Budgets::default(), caller: web(), budget }
    }

    fn charge(&mut self, at: Timestamp, records: u64) -> Result<(), Spent> {
        let charge = Charge { operation: Operation::Release, at, records };
        self.budgets.charge(&[(&self.caller, self.budget)], charge)
    }

    /// The limit that refuses a charge, and the seconds after which it would pass.
    fn refused(&mut self, at: Timestamp, records: u64) -> Option<(&'static str, u64, Option<u64>)> {
        let spent = self.charge(at, records).err()?;
        Some((spent.window, spent.limit, spent.retry_after_s))
    }
}

#[test]
fn a_spent_budget_says_when_to_come_back() {
    let mut web = One::new(BUDGET);
    assert_eq!(web.charge(start(), 100), Ok(()));
    assert_eq!(web.refused(start(), 1), Some(("minute", 100, Some(61))));
    assert_eq!(web.refused(start(), 100), Some(("minute", 100, Some(61))));
    assert_eq!(web.refused(start(), 101), Some(("minute", 100, None)));
    let half_way = start() + SignedDuration::from_millis(30_500);
    assert_eq!(web.refused(half_way, 1), Some(("minute", 100, Some(31))));
    let back = start() + SignedDuration::from_secs(61);
    assert_eq!(
        web.refused(back - SignedDuration::from_millis(1), 1),
        Some(("minute", 100, Some(1)))
    );
    assert_eq!(web.charge(back, 100), Ok(()));
}

#[test]
fn an_hour_frees_minute_by_minute() {
    let mut web = One::new(Budget { minute: 1_000, ..BUDGET });
    assert_eq!(web.charge(at("15T04:00:30"), 400), Ok(()));
    assert_eq!(web.charge(at("15T04:20:10"), 600), Ok(()));
    let full = web.refused(at("15T04:59:59"), 400);
    assert_eq!(full, Some(("hour", 1_000, Some(61))), "the oldest minute counts whole");
    assert_eq!(web.refused(at("15T04:59:59"), 401), Some(("hour", 1_000, Some(20 * 60 + 61))));
    assert_eq!(web.charge(at("15T05:01:00"), 400), Ok(()));
    assert_eq!(web.refused(at("15T05:20:59"), 600), Some(("hour", 1_000, Some(1))));
    assert_eq!(web.charge(at("15T05:21:00"), 600), Ok(()));
}

#[test]
fn a_day_frees_hour_by_hour() {
    let mut web = One::new(DAILY);
    assert_eq!(web.charge(at("15T04:30:00"), 2_000), Ok(()));
    assert_eq!(web.charge(at("15T10:10:00"), 3_000), Ok(()));
    let late = at("16T04:59:59");
    assert_eq!(web.refused(late, 1), Some(("day", 5_000, Some(1))), "the oldest hour counts whole");
    assert_eq!(web.refused(late, 2_001), Some(("day", 5_000, Some(6 * 3_600 + 1))));
    assert_eq!(web.refused(late, 5_001), Some(("minute", 5_000, None)));
    assert_eq!(web.charge(at("16T05:00:00"), 2_000), Ok(()));
    assert_eq!(web.refused(at("16T10:59:59"), 1), Some(("day", 5_000, Some(1))));
    assert_eq!(web.charge(at("16T11:00:00"), 3_000), Ok(()));
}

/// A caller that asks every ten minutes for two weeks gets its whole budget, and no more.
#[test]
fn a_budget_holds_over_simulated_days() {
    let mut web = One::new(BUDGET);
    let mut passed: Vec<(Timestamp, u64)> = Vec::new();
    let mut now = start();
    for _ in 0..14 * 24 * 6 {
        for _ in 0..3 {
            if web.charge(now, 40).is_ok() {
                passed.push((now, 40));
            }
        }
        let since = now - SignedDuration::from_hours(24);
        let day: u64 = passed.iter().filter(|(at, _)| *at > since).map(|(_, n)| n).sum();
        assert!(day <= BUDGET.day, "{day} in the day before {now}");
        now += SignedDuration::from_mins(10);
    }
    let total: u64 = passed.iter().map(|(_, n)| n).sum();
    // The oldest hour counts whole, so a day's records return after 24 to 25 hours.
    assert!(total > BUDGET.day * 13, "{total}");
    let last = passed.last().unwrap().0;
    assert!(now.duration_since(last) < SignedDuration::from_hours(24));
}

#[test]
fn a_fronts_budget_bounds_all_its_callers() {
    let mut budgets = Budgets::default();
    let (one, two, front) = (web(), "web-ky-2".parse().unwrap(), "accounts".parse().unwrap());
    let tight = Budget { minute: 150, ..BUDGET };
    let charge = Charge { operation: Operation::Release, at: start(), records: 100 };
    let mut both = |who| budgets.charge(&[(who, BUDGET), (&front, tight)], charge);
    assert_eq!(both(&one), Ok(()));
    assert_eq!(both(&two).unwrap_err().caller, front);
    assert_eq!(budgets.last_hour(&two, Operation::Release, start()), 0, "all or none");
    assert_eq!(budgets.last_hour(&one, Operation::Release, start()), 100);
    assert_eq!(budgets.last_hour(&one, Operation::Seal, start()), 0, "each operation for itself");
}

#[test]
fn a_burst_goes_beyond_the_minute_and_not_beyond_the_hour() {
    let mut web = One::new(Budget { burst: 50, hour: 200, ..BUDGET });
    assert_eq!(web.charge(start(), 150), Ok(()));
    assert_eq!(web.refused(start(), 1), Some(("minute", 100, Some(61))));
    let next = start() + SignedDuration::from_secs(61);
    // The burst is free again when its minute leaves the hour.
    assert_eq!(web.refused(next, 101), Some(("minute", 100, Some(61 * 60 - 61))));
    assert_eq!(web.refused(next, 151), Some(("minute", 100, None)));
    assert_eq!(web.refused(next, 51), Some(("hour", 200, Some(61 * 60 - 61))));
    assert_eq!(web.charge(next, 50), Ok(()));
}

#[test]
fn a_burst_may_be_used_up_to_its_last_record() {
    let mut web = One::new(Budget { burst: 50, ..BUDGET });
    for records in [100, 20, 30] {
        assert_eq!(web.charge(start(), records), Ok(()));
    }
    assert_eq!(web.refused(start(), 1), Some(("minute", 100, Some(61))));
    let next = start() + SignedDuration::from_secs(61);
    assert_eq!(web.charge(next, 100), Ok(()), "the minute's own records need no burst");
}

#[test]
fn a_burst_past_a_lowered_limit_leaves_the_minute_its_own_records() {
    let mut windows = Windows::new(0);
    windows.record(start(), 150, 100);
    let lowered = Budget { burst: 20, ..BUDGET };
    let next = start() + SignedDuration::from_secs(61);
    assert_eq!(windows.refusal(lowered, next, 100), None);
    assert!(windows.refusal(lowered, next, 101).is_some());
}

#[test]
fn a_database_keeps_a_burst_only_where_there_was_one() {
    for (records, burst) in [(100, vec![]), (101, vec![(start().as_second() / 60, 1)])] {
        let mut windows = Windows::new(0);
        windows.record(start(), records, 100);
        let kept = windows.kept().find(|window| window.name == "burst").unwrap();
        assert_eq!(kept.changed, burst, "{records}");
    }
}

#[test]
fn a_database_keeps_every_slot_that_was_changed_since_and_still_counts() {
    let mut windows = Windows::new(0);
    for seconds in [0, 2, 60, 62] {
        windows.record(start() + SignedDuration::from_secs(seconds), 1, 100);
    }
    let kept = windows.kept().find(|window| window.name == "minute").unwrap();
    let slots: Vec<_> = kept.changed.iter().map(|(slot, _)| slot - start().as_second()).collect();
    assert_eq!(slots, [2, 60, 62]);
    assert_eq!(kept.oldest, start().as_second() + 2);
}

#[test]
fn records_that_were_not_used_are_given_back() {
    let mut windows = Windows::new(0);
    let later = start() + SignedDuration::from_secs(2);
    windows.record(start(), 60, 100);
    windows.record(later, 40, 100);
    assert!(windows.refusal(BUDGET, later, 1).is_some());
    windows.give_back(start(), 25);
    windows.give_back(start() - SignedDuration::from_secs(5), 9);
    assert_eq!(windows.refusal(BUDGET, later, 25), None);
    assert!(windows.refusal(BUDGET, later, 26).is_some());
    let hour = Budget { minute: 1_000, hour: 100, ..BUDGET };
    assert_eq!(windows.refusal(hour, later, 25), None);
    assert!(windows.refusal(hour, later, 26).is_some());
    let day = Budget { minute: 1_000, day: 100, ..BUDGET };
    assert_eq!(windows.refusal(day, later, 25), None);
    assert!(windows.refusal(day, later, 26).is_some());
    windows.give_back(start(), 1_000);
    assert_eq!(windows.refusal(BUDGET, later, 60), None, "no more comes back than was counted");
    assert!(windows.refusal(BUDGET, later, 61).is_some());
}

#[test]
fn what_was_burst_stays_burst_when_it_is_given_back() {
    let mut windows = Windows::new(0);
    let bursting = Budget { burst: 50, ..BUDGET };
    windows.record(start(), 150, 100);
    windows.give_back(start(), 150);
    assert_eq!(windows.refusal(bursting, start(), 100), None);
    assert!(windows.refusal(bursting, start(), 101).is_some());
}

#[test]
fn shared_windows_count_one_slot_longer() {
    for (slack, seconds) in [(0, 61), (SHARED_SLACK, 62)] {
        let mut windows = Windows::new(slack);
        windows.record(start(), 100, 100);
        let before = start() + SignedDuration::from_millis(seconds * 1_000 - 1);
        assert!(windows.refusal(BUDGET, before, 1).is_some(), "{slack}");
        let after = start() + SignedDuration::from_secs(seconds);
        assert_eq!(windows.refusal(BUDGET, after, 100), None, "{slack}");
    }
}

/// The windows of a budget as a database keeps them: they are read, used and written back.
#[derive(Default)]
struct Kept(BTreeMap<(&'static str, i64), u64>);

impl Kept {
    fn read(&self) -> Windows {
        let mut windows = Windows::new(0);
        for ((name, slot), records) in &self.0 {
            windows.recall(name, *slot, *records);
        }
        windows
    }

    fn write(&mut self, windows: &Windows) {
        for KeptWindow { name, oldest, changed } in windows.kept() {
            self.0.retain(|(of, slot), _| *of != name || *slot >= oldest);
            self.0.extend(changed.into_iter().map(|(slot, records)| ((name, slot), records)));
        }
    }
}

#[test]
fn a_database_keeps_as_many_slots_as_count() {
    let mut kept = Kept::default();
    for minute in 0..200 {
        let mut windows = kept.read();
        windows.record(start() + SignedDuration::from_mins(minute), 1, 0);
        kept.write(&windows);
    }
    let count = |name: &str| kept.0.keys().filter(|(of, _)| *of == name).count();
    assert_eq!(["minute", "hour", "day", "burst"].map(count), [2, 61, 4, 61]);
}

#[test]
fn a_database_forgets_the_future_when_the_clock_is_set_back() {
    let mut kept = Kept::default();
    let mut charge = |at: Timestamp, records| {
        let mut windows = kept.read();
        let refusal = windows.refusal(BUDGET, at, records);
        if refusal.is_none() {
            windows.record(at, records, BUDGET.minute);
        }
        kept.write(&windows);
        (refusal.is_none(), kept.0.keys().filter(|(name, _)| *name == "minute").count())
    };
    let ahead = start() + SignedDuration::from_secs(20);
    assert_eq!(charge(ahead, 40), (true, 1));
    assert_eq!(charge(ahead + SignedDuration::from_secs(10), 60), (true, 2));
    assert_eq!(charge(start(), 1), (false, 2));
    let half = start() + SignedDuration::from_secs(51);
    assert_eq!(charge(half, 40), (true, 2), "the earlier use is ten seconds older");
    assert!(!charge(half, 1).0);
    assert_eq!(charge(half + SignedDuration::from_secs(10), 60), (true, 2));
}

proptest! {
    /// For all requests, and however often the use is read back from the log, no span of a minute,
    /// hour or day has more than the limit.
    #[test]
    fn no_span_sees_more_than_the_limit(
        requests in prop::collection::vec((0_i64..40_000, 1_u64..160, any::<bool>()), 1..200),
        burst in 0_u64..80,
    ) {
        let mut web = One::new(Budget { burst, ..BUDGET });
        let mut now = start();
        let mut passed: Vec<(Timestamp, u64)> = Vec::new();
        for (gap_ms, records, restart) in requests {
            now += SignedDuration::from_millis(gap_ms);
            if restart {
                web.budgets = Budgets::default();
                for (at, records) in passed.iter().copied() {
                    let charge = Charge { operation: Operation::Release, at, records };
                    web.budgets.record(&web.caller, charge, BUDGET.minute);
                }
            }
            if web.charge(now, records).is_ok() {
                passed.push((now, records));
            }
            for (seconds, limit) in [(60, 100 + burst), (3_600, 1_000), (86_400, 5_000)] {
                let since = now - SignedDuration::from_secs(seconds);
                let sum: u64 = passed.iter().filter(|(at, _)| *at > since).map(|(_, n)| n).sum();
                prop_assert!(sum <= limit, "{sum} in {seconds} s");
            }
        }
    }

    #[test]
    fn a_clock_set_back_opens_nothing(back_s in 0_i64..100_000) {
        let mut web = One::new(BUDGET);
        prop_assert!(web.charge(start(), 100).is_ok());
        let past = start() - SignedDuration::from_secs(back_s);
        prop_assert!(web.charge(past, 1).is_err());
        // It opens after its span on the new clock, and no minute there has more than the limit.
        prop_assert!(web.charge(past + SignedDuration::from_secs(57), 1).is_err());
        let later = past + SignedDuration::from_secs(64);
        prop_assert!(web.charge(later, 100).is_ok());
        prop_assert!(web.charge(later + SignedDuration::from_secs(59), 1).is_err());
    }

    /// Windows that a database keeps refuse the same as windows in memory.
    #[test]
    fn a_database_keeps_what_counts(
        steps in prop::collection::vec((0_i64..2_000_000, 1_u64..150, any::<bool>()), 1..80),
    ) {
        let budget = Budget { burst: 70, ..BUDGET };
        let (mut memory, mut kept) = (Windows::new(0), Kept::default());
        let mut now = start();
        for (gap_ms, records, back) in steps {
            now += SignedDuration::from_millis(gap_ms);
            let mut read = kept.read();
            let refusal = read.refusal(budget, now, records);
            prop_assert_eq!(refusal, memory.refusal(budget, now, records));
            if refusal.is_none() {
                for windows in [&mut read, &mut memory] {
                    windows.record(now, records, budget.minute);
                    if back {
                        windows.give_back(now, records / 2);
                    }
                }
            }
            kept.write(&read);
        }
    }
}
