//! The ledger: one row a person and letter, moved only by a recorded outcome, and batches of rows
//! that workers hold for a while.
//!
//! A row is written when it is planned and when there is an outcome, and not when a worker takes
//! it: that stands in its batch. What a row says and what is counted change together.

mod batches;
mod outcomes;
mod pauses;
mod plan;
mod rows;

use cofferdam_core::{FieldSet, Timestamp};
use cofferdam_store::StoreError;
use response_api::{LedgerState, LetterId};
use sqlx::{Any, Row, Transaction};

use super::{Store, corrupt, number};

pub use batches::{Batch, Claimed, Holder};
pub use outcomes::{CameBack, Outcome, Put};
pub use plan::{Locale, PlannedRow};
pub use rows::StoredRow;

/// Rows by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts(pub [u64; LedgerState::ALL.len()]);

impl Counts {
    /// How many rows are in a state.
    #[must_use]
    pub fn of(&self, state: LedgerState) -> u64 {
        self.0[usize::from(code(state))]
    }

    /// All rows.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Whether some row still waits for its outcome.
    #[must_use]
    pub fn unsettled(&self) -> bool {
        let open = [LedgerState::Planned, LedgerState::Claimed, LedgerState::Deferred];
        open.iter().any(|state| self.of(*state) > 0)
    }
}

/// How a state stands in the tables: its place among all, which never changes.
pub(super) fn code(state: LedgerState) -> u8 {
    let place = LedgerState::ALL.iter().position(|of| *of == state).unwrap_or_default();
    u8::try_from(place).unwrap_or_default()
}

fn state(code: i64) -> Result<LedgerState, StoreError> {
    let found = usize::try_from(code).ok().and_then(|at| LedgerState::ALL.get(at));
    found.copied().ok_or_else(|| corrupt(format!("the ledger state {code}")))
}

fn fields(bits: i64) -> Result<FieldSet, StoreError> {
    let set = u16::try_from(bits).ok().and_then(FieldSet::from_bits);
    set.ok_or_else(|| corrupt(format!("the field bits {bits}")))
}

/// SQL with a table of values in `$2`, a JSON array of arrays: `value ->> 0` is the first.
macro_rules! with_values {
    ($backend:expr, $before:expr, $after:expr) => {
        match $backend {
            Backend::Sqlite => concat!($before, " json_each($2) AS e ", $after),
            Backend::Postgres => {
                concat!($before, " jsonb_array_elements($2::jsonb) AS e(value) ", $after)
            }
        }
    };
}
use with_values;

/// Changes to the counts of a letter.
#[derive(Debug, Default)]
struct Shift([i64; LedgerState::ALL.len()]);

impl Shift {
    fn add(&mut self, state: LedgerState, people: i64) {
        self.0[usize::from(code(state))] += people;
    }

    fn step(&mut self, from: LedgerState, to: LedgerState, people: i64) {
        self.add(from, -people);
        self.add(to, people);
    }

    /// Writes them, in the order of the states: two that write at once never wait for each other.
    async fn write(
        self,
        tx: &mut Transaction<'static, Any>,
        letter: LetterId,
    ) -> Result<(), StoreError> {
        for (code, people) in (0_i64..).zip(self.0).filter(|(_, people)| *people != 0) {
            sqlx::query(
                "INSERT INTO ledger_count (letter, state, people) VALUES ($1, $2, $3)
                 ON CONFLICT (letter, state) DO UPDATE
                 SET people = ledger_count.people + excluded.people",
            )
            .bind(i64::from(letter.0))
            .bind(code)
            .bind(people)
            .execute(&mut **tx)
            .await?;
        }
        Ok(())
    }
}

impl Store {
    /// How many rows are in each state.
    pub async fn counts(&self, letter: LetterId) -> Result<Counts, StoreError> {
        let rows = sqlx::query("SELECT state, people FROM ledger_count WHERE letter = $1")
            .bind(i64::from(letter.0))
            .fetch_all(self.db.reader())
            .await?;
        let mut counts = Counts::default();
        for row in rows {
            let state = state(row.try_get(0)?)?;
            counts.0[usize::from(code(state))] = number(row.try_get(1)?)?;
        }
        Ok(counts)
    }

    /// The same, counted row by row: what [`Store::counts`] must always say.
    pub async fn recount(&self, letter: LetterId) -> Result<Counts, StoreError> {
        let rows = sqlx::query(
            "SELECT l.state, CASE WHEN b.holder IS NULL OR b.holder = '' THEN 0 ELSE 1 END AS held,
                    COUNT(*)
             FROM ledger l LEFT JOIN ledger_batch b ON b.letter = l.letter AND b.batch = l.batch
             WHERE l.letter = $1 GROUP BY 1, 2",
        )
        .bind(i64::from(letter.0))
        .fetch_all(self.db.reader())
        .await?;
        let mut counts = Counts::default();
        for row in rows {
            let state = shown(state(row.try_get(0)?)?, row.try_get::<i64, _>(1)? != 0);
            counts.0[usize::from(code(state))] += number::<u64>(row.try_get(2)?)?;
        }
        Ok(counts)
    }
}

/// A row's state, when a worker has its batch or not.
fn shown(state: LedgerState, held: bool) -> LedgerState {
    match state {
        LedgerState::Planned | LedgerState::Deferred if held => LedgerState::Claimed,
        state => state,
    }
}

fn ms(at: Timestamp) -> i64 {
    at.as_millisecond()
}
