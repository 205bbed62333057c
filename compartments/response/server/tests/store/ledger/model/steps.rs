//! The steps of workers and others on a ledger.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use response_api::LedgerState;

/// The number of people of each letter. They are few, so that random steps often meet the same
/// rows.
pub const PEOPLE: u32 = 6;

/// One of the two letters, or of the two workers.
pub type Side = usize;

/// One step. Persons are named by their place among the people of the letter.
#[derive(Debug, Clone)]
pub enum Step {
    /// A worker claims a batch whose provider is not in `closed`.
    Claim { letter: Side, worker: Side, closed: Vec<u16> },
    /// A worker records final outcomes. They are `age` seconds old.
    Record { letter: Side, aim: Aim, people: People, states: Vec<LedgerState>, age: i64 },
    /// Final outcomes of a relay's log are recorded.
    RecordLog { letter: Side, people: Vec<u32>, states: Vec<LedgerState> },
    /// A worker puts off letters that were tried, or were not.
    PutOff { letter: Side, aim: Aim, people: People, tried: bool, provider: u16, wait: i64 },
    /// A worker releases a batch.
    Release { letter: Side, aim: Aim },
    /// A worker doubts a batch.
    Doubt { letter: Side, aim: Aim },
    /// A batch is removed if it has no open rows.
    End { letter: Side, aim: Aim },
    /// A worker extends its leases.
    Renew { letter: Side, worker: Side },
    /// Time passes, in seconds.
    Wait(i64),
    /// Batches whose lease ended are taken over.
    TakeOver { letter: Side },
    /// A worker that was presumed dead replans the rows that it never sent.
    ReplanUnsent { letter: Side, worker: Side },
    /// A relay's log settles doubts.
    Settle { letter: Side, accepted: Vec<u32>, complete: bool },
    /// Letters come back; one of them may belong to nobody.
    CameBack { letter: Side, people: Vec<u32>, complained: bool },
    /// The letter is finished if no row is open.
    Finish { letter: Side },
}

/// A batch, and the worker that acts on it.
#[derive(Debug, Clone, Copy)]
pub struct Aim {
    /// The batch, by its place among those in question.
    pub batch: Index,
    /// Whether only held batches are in question.
    pub is_held: bool,
    /// Whether the acting worker is the holder.
    pub by_holder: bool,
}

/// The people whose rows a worker moves.
#[derive(Debug, Clone)]
pub enum People {
    /// The open rows of the batch whose bit is set.
    OfBatch(u8),
    /// Any people of the letter.
    Any(Vec<u32>),
}

/// A random step.
pub fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (letter(), side(), closed())
            .prop_map(|(letter, worker, closed)| Step::Claim { letter, worker, closed }),
        4 => record(),
        1 => (letter(), anybody(), states())
            .prop_map(|(letter, people, states)| Step::RecordLog { letter, people, states }),
        5 => put_off(),
        2 => (letter(), aim()).prop_map(|(letter, aim)| Step::Release { letter, aim }),
        2 => (letter(), aim()).prop_map(|(letter, aim)| Step::Doubt { letter, aim }),
        2 => (letter(), aim()).prop_map(|(letter, aim)| Step::End { letter, aim }),
        2 => (letter(), side()).prop_map(|(letter, worker)| Step::Renew { letter, worker }),
        4 => (1_i64..40).prop_map(Step::Wait),
        2 => letter().prop_map(|letter| Step::TakeOver { letter }),
        2 => (letter(), side())
            .prop_map(|(letter, worker)| Step::ReplanUnsent { letter, worker }),
        2 => (letter(), anybody(), any::<bool>())
            .prop_map(|(letter, accepted, complete)| Step::Settle { letter, accepted, complete }),
        3 => (letter(), subsequence((0..=PEOPLE).collect::<Vec<_>>(), 1..=3), any::<bool>())
            .prop_map(|(letter, people, complained)| Step::CameBack { letter, people, complained }),
        1 => letter().prop_map(|letter| Step::Finish { letter }),
    ]
}

fn record() -> impl Strategy<Value = Step> {
    (letter(), aim(), people(), states(), 0_i64..5).prop_map(
        |(letter, aim, people, states, age)| Step::Record { letter, aim, people, states, age },
    )
}

fn put_off() -> impl Strategy<Value = Step> {
    (letter(), aim(), people(), any::<bool>(), 1_u16..3, 0_i64..20).prop_map(
        |(letter, aim, people, tried, provider, wait)| Step::PutOff {
            letter,
            aim,
            people,
            tried,
            provider,
            wait,
        },
    )
}

/// Mostly the first letter, so that much happens to it.
fn letter() -> impl Strategy<Value = Side> {
    prop_oneof![3 => Just(0), 1 => Just(1)]
}

fn side() -> impl Strategy<Value = Side> {
    0..2_usize
}

/// Mostly no provider is closed.
fn closed() -> impl Strategy<Value = Vec<u16>> {
    prop_oneof![3 => Just(Vec::new()), 1 => subsequence(vec![0, 1, 2], 1..=2)]
}

/// Mostly a batch that a worker holds, and that worker.
fn aim() -> impl Strategy<Value = Aim> {
    let mostly = || prop::bool::weighted(0.75);
    (any::<Index>(), mostly(), mostly()).prop_map(|(batch, is_held, by_holder)| Aim {
        batch,
        is_held,
        by_holder,
    })
}

fn people() -> impl Strategy<Value = People> {
    prop_oneof![2 => any::<u8>().prop_map(People::OfBatch), 1 => anybody().prop_map(People::Any)]
}

/// Some people, each once.
fn anybody() -> impl Strategy<Value = Vec<u32>> {
    subsequence((0..PEOPLE).collect::<Vec<_>>(), 1..=PEOPLE as usize)
}

/// A final state for each person.
fn states() -> impl Strategy<Value = Vec<LedgerState>> {
    use LedgerState::{Accepted, Bounced, Complained, Expired, InDoubt, Suppressed};
    let every = [Accepted, InDoubt, Bounced, Complained, Suppressed, Expired];
    vec(select(every.to_vec()), PEOPLE as usize)
}
