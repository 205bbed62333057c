//! In any order of requests, restarts and crashes, no more than the budget and its burst is
//! released, and each released record is in the log once.

use cofferdam_core::Field;
use cofferdam_wire::ProblemType;
use jiff::SignedDuration;
use keys_api::{Budget, ChangePolicy, Event, ReleaseKeys};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::support::{Keys, ask, events, group};

#[derive(Debug, Clone)]
enum Step {
    /// One call, with `groups` groups of `records` records.
    Release {
        groups: u32,
        records: u32,
    },
    /// Time passes, in seconds.
    Pass(i64),
    /// The clock jumps, in seconds.
    Jump(i64),
    Restart,
    /// The process dies while it writes: this many bytes of a torn entry are at the end of the log.
    Crash(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1_u32..4, 1_u32..40).prop_map(|(groups, records)| Step::Release { groups, records }),
        2 => (1_i64..90).prop_map(Step::Pass),
        1 => (-100_000_i64..100_000).prop_map(Step::Jump),
        1 => Just(Step::Restart),
        1 => (1_usize..60).prop_map(Step::Crash),
    ]
}

const BUDGET: Budget = Budget { minute: 100, hour: 400, day: 1_000, burst: 60 };

#[test]
fn budgets_and_log_hold_whatever_happens() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut runner = TestRunner::new(Config { cases: 24, ..Config::default() });
    let steps = prop::collection::vec(step(), 1..40);
    let tried = runner.run(&steps, |steps| {
        runtime.block_on(walk(steps));
        Ok(())
    });
    tried.unwrap();
}

async fn walk(steps: Vec<Step>) {
    let mut keys = Keys::start().await;
    let mut policy = keys.policy();
    policy.version = 2;
    policy.callers[0].budgets.insert(cofferdam_core::Operation::Release, BUDGET);
    let change = ChangePolicy { policy: keys.sign(policy) };
    keys.client("response-1").call(&change).await.unwrap();
    // The records that left, each with the time that had really passed.
    let (mut passed, mut answered, mut torn, mut calls) = (0_i64, Vec::new(), 0, 0);
    for step in steps {
        match step {
            Step::Release { groups, records } => {
                calls += 1;
                let records = release(&keys, calls, groups, records).await;
                answered.extend(records.map(|records| (passed, records)));
            }
            Step::Pass(seconds) => {
                passed += seconds;
                keys.clock.advance(SignedDuration::from_secs(seconds));
            }
            Step::Jump(seconds) => keys.clock.jump(SignedDuration::from_secs(seconds)),
            Step::Restart => {
                keys.settle_clock();
                keys.restart().await;
            }
            Step::Crash(bytes) => {
                keys.settle_clock();
                keys.crash(bytes).await;
                torn += 1;
            }
        }
        for (seconds, limit) in [(60, 160), (3_600, 400), (86_400, 1_000)] {
            let since = |(at, _): &&(i64, Vec<u32>)| *at > passed - seconds;
            let sum: usize = answered.iter().filter(since).map(|(_, records)| records.len()).sum();
            assert!(sum <= limit, "{sum} records in {seconds} s");
        }
    }
    let (logged, recovered) = in_the_log(&keys).await;
    let released: Vec<u32> = answered.into_iter().flat_map(|(_, records)| records).collect();
    assert_eq!((logged, recovered), (released, torn), "each once, in their order");
    keys.stop().await;
}

/// Releases new records. Returns those that were released.
async fn release(keys: &Keys, call: u32, groups: u32, records: u32) -> Option<Vec<u32>> {
    let fields = [&[Field::Name][..], &[Field::Email], &[Field::Name, Field::Email]];
    let first = |n: u32| call * 10_000 + n * 1_000;
    let numbers = |n: u32| (first(n)..first(n) + records).collect::<Vec<u32>>();
    let group = |n: u32| group(fields[n as usize], &numbers(n));
    let call = ReleaseKeys { groups: (0..groups).map(group).collect(), ..ask("web-ky-1", &[]) };
    match keys.client("accounts").call(&call).await {
        Ok(released) => {
            assert!(released.answers(&call));
            Some((0..groups).flat_map(numbers).collect())
        }
        Err(e) => {
            assert!(e.is(ProblemType::BUDGET_EXHAUSTED));
            None
        }
    }
}

/// The released records in the order of the log, and the number of torn ends that were cut.
async fn in_the_log(keys: &Keys) -> (Vec<u32>, u64) {
    let (mut released, mut recovered) = (Vec::new(), 0);
    for event in events(keys).await {
        match event {
            Event::Released { records, .. } => {
                released.extend(records.as_slice().iter().map(|record| record.0));
            }
            Event::Recovered { .. } => recovered += 1,
            _ => {}
        }
    }
    (released, recovered)
}
