//! What workers and others do to a ledger.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use response_api::LedgerState;

/// People of each letter. They are few, so that random steps often meet the same rows.
pub const PEOPLE: u32 = 6;

/// One of the two letters, or of the two workers.
pub type Side = usize;

/// One step. Persons are places among the people of the letter, and batches are places among those that
/// the letter has then.
#[derive(Debug, Clone)]
pub enum Step {
    /// A worker claims a batch, of no provider among those that are closed.
    Claim { letter: Side, worker: Side, closed: Vec<u16> },
    /// Final outcomes: a worker's, or those of a relay's log. They are `age` seconds old.
    Record { letter: Side, worker: Option<Side>, outcomes: Vec<(u32, LedgerState)>, age: i64 },
    /// A worker puts off letters that were tried, or were not.
    PutOff { letter: Side, worker: Side, people: Vec<u32>, tried: bool, provider: u16, wait: i64 },
    /// A worker releases a batch.
    Release { letter: Side, worker: Side, batch: Index },
    /// A worker doubts a batch.
    Doubt { letter: Side, worker: Side, batch: Index },
    /// A batch without open rows is removed.
    End { letter: Side, batch: Index },
    /// A worker extends its leases.
    Renew { letter: Side, worker: Side },
    /// Time passes, in seconds.
    Wait(i64),
    /// Batches whose lease ended are taken over.
    TakeOver { letter: Side },
    /// A worker that was taken for dead replans what it never sent.
    ReplanUnsent { letter: Side, worker: Side },
    /// A relay's log settles doubts.
    Settle { letter: Side, accepted: Vec<u32>, complete: bool },
    /// Letters come back; one of them may be nobody's.
    CameBack { letter: Side, people: Vec<u32>, complained: bool },
    /// The letter is finished if no row is open.
    Finish { letter: Side },
}

/// A random step.
pub fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (letter(), side(), closed())
            .prop_map(|(letter, worker, closed)| Step::Claim { letter, worker, closed }),
        4 => record(),
        6 => put_off(),
        2 => (letter(), side(), any::<Index>())
            .prop_map(|(letter, worker, batch)| Step::Release { letter, worker, batch }),
        2 => (letter(), side(), any::<Index>())
            .prop_map(|(letter, worker, batch)| Step::Doubt { letter, worker, batch }),
        2 => (letter(), any::<Index>()).prop_map(|(letter, batch)| Step::End { letter, batch }),
        2 => (letter(), side()).prop_map(|(letter, worker)| Step::Renew { letter, worker }),
        4 => (1_i64..40).prop_map(Step::Wait),
        2 => letter().prop_map(|letter| Step::TakeOver { letter }),
        2 => (letter(), side())
            .prop_map(|(letter, worker)| Step::ReplanUnsent { letter, worker }),
        2 => (letter(), people(), any::<bool>())
            .prop_map(|(letter, accepted, complete)| Step::Settle { letter, accepted, complete }),
        3 => (letter(), subsequence((0..=PEOPLE).collect::<Vec<_>>(), 1..=3), any::<bool>())
            .prop_map(|(letter, people, complained)| Step::CameBack { letter, people, complained }),
        1 => letter().prop_map(|letter| Step::Finish { letter }),
    ]
}

fn record() -> impl Strategy<Value = Step> {
    let worker = prop_oneof![4 => side().prop_map(Some), 1 => Just(None)];
    let states = vec(select(FINAL.as_slice()), PEOPLE as usize);
    (letter(), worker, people(), states, 0_i64..5).prop_map(
        |(letter, worker, people, states, age)| {
            let outcomes = people.into_iter().zip(states).collect();
            Step::Record { letter, worker, outcomes, age }
        },
    )
}

fn put_off() -> impl Strategy<Value = Step> {
    (letter(), side(), people(), any::<bool>(), 1_u16..3, 0_i64..20).prop_map(
        |(letter, worker, people, tried, provider, wait)| Step::PutOff {
            letter,
            worker,
            people,
            tried,
            provider,
            wait,
        },
    )
}

/// Every state that is nobody's turn to change.
const FINAL: [LedgerState; 6] = [
    LedgerState::Accepted,
    LedgerState::InDoubt,
    LedgerState::Bounced,
    LedgerState::Complained,
    LedgerState::Suppressed,
    LedgerState::Expired,
];

/// Mostly the first letter, so that much happens to it.
fn letter() -> impl Strategy<Value = Side> {
    prop_oneof![3 => Just(0), 1 => Just(1)]
}

/// Mostly no provider is closed.
fn closed() -> impl Strategy<Value = Vec<u16>> {
    prop_oneof![3 => Just(Vec::new()), 1 => subsequence(vec![0, 1, 2], 1..=2)]
}

fn side() -> impl Strategy<Value = Side> {
    0..2_usize
}

/// Some people, each once.
fn people() -> impl Strategy<Value = Vec<u32>> {
    subsequence((0..PEOPLE).collect::<Vec<_>>(), 1..=PEOPLE as usize)
}
