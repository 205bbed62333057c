//! The ledger: one row a person and letter, moved only by a recorded outcome, and batches of rows
//! that workers hold for a while. `response_api::LedgerState` tells who moves a row into which
//! state.
//!
//! A row is written when it is planned and when it has an outcome. A claim writes only to the
//! batch, which names the worker. A planned or deferred row of a held batch is *claimed*. Rows and
//! counts change in one transaction.

mod batches;
mod outcomes;
mod plan;
mod read;

use cofferdam_store::{Backend, StoreError};
use response_api::{LedgerState, LetterId};
use response_mailing::{Counts, Postponement};
use sqlx::any::AnyRow;

use super::rows::{corrupt, number};
use super::{Store, Tx};

const PLANNED: u8 = LedgerState::Planned.code();
const DEFERRED: u8 = LedgerState::Deferred.code();
const IN_DOUBT: u8 = LedgerState::InDoubt.code();
const SUPPRESSED: u8 = LedgerState::Suppressed.code();

/// Reads a state, which is stored as its code.
fn state(row: &AnyRow, column: &str) -> Result<LedgerState, StoreError> {
    let code = number(row, column)?;
    LedgerState::from_code(code).ok_or_else(|| corrupt(format!("the ledger state {code}")))
}

/// The state of a row, claimed if its batch is held.
const fn shown_state(stored: LedgerState, is_held: bool) -> LedgerState {
    match stored {
        LedgerState::Planned | LedgerState::Deferred if is_held => LedgerState::Claimed,
        other => other,
    }
}

/// A table `e` of the values in `$2`, a JSON array of arrays: `e.value ->> 0` is the first value of
/// a row.
const fn values_table(backend: Backend) -> &'static str {
    match backend {
        Backend::Sqlite => "json_each($2) AS e",
        Backend::Postgres => "jsonb_array_elements($2::jsonb) AS e(value)",
    }
}

/// Changes to the counts of a letter.
#[derive(Debug, Default)]
struct Shift([i64; LedgerState::ALL.len()]);

impl Shift {
    fn add(&mut self, state: LedgerState, rows: i64) {
        self.0[usize::from(state.code())] += rows;
    }

    fn step(&mut self, from: LedgerState, to: LedgerState, rows: i64) {
        self.add(from, -rows);
        self.add(to, rows);
    }
}

impl Tx {
    /// Writes changes in the order of the states, so that two transactions never wait for each
    /// other.
    async fn shift(&mut self, letter: LetterId, shift: Shift) -> Result<(), StoreError> {
        for (code, rows) in (0_i64..).zip(shift.0).filter(|(_, rows)| *rows != 0) {
            sqlx::query(
                "INSERT INTO ledger_count (letter, state, people) VALUES ($1, $2, $3)
                 ON CONFLICT (letter, state) DO UPDATE
                 SET people = ledger_count.people + excluded.people",
            )
            .bind(i64::from(letter.0))
            .bind(code)
            .bind(rows)
            .execute(&mut *self.tx)
            .await?;
        }
        Ok(())
    }

    /// Makes a batch for rows between `first` and `last`, and returns its number.
    async fn new_batch(
        &mut self,
        letter: LetterId,
        (first, last): (u32, u32),
        postponement: Postponement,
    ) -> Result<u32, StoreError> {
        let row = sqlx::query(
            "UPDATE letter SET next_batch = next_batch + 1 WHERE letter = $1 RETURNING next_batch",
        )
        .bind(i64::from(letter.0))
        .fetch_one(&mut *self.tx)
        .await?;
        let batch: u32 = number(&row, "next_batch")?;
        sqlx::query(
            "INSERT INTO ledger_batch
                 (letter, batch, first, last, provider, attempts, due_ms, holder, until_ms)
             VALUES ($1, $2, $3, $4, $5, $6, $7, '', 0)",
        )
        .bind(i64::from(letter.0))
        .bind(i64::from(batch))
        .bind(i64::from(first))
        .bind(i64::from(last))
        .bind(i64::from(postponement.provider))
        .bind(i64::from(postponement.attempts))
        .bind(postponement.due.as_millisecond())
        .execute(&mut *self.tx)
        .await?;
        Ok(batch)
    }

    async fn drop_batch(&mut self, letter: LetterId, batch: u32) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM ledger_batch WHERE letter = $1 AND batch = $2")
            .bind(i64::from(letter.0))
            .bind(i64::from(batch))
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }
}

impl Store {
    /// The number of rows in each state.
    pub async fn counts(&self, letter: LetterId) -> Result<Counts, StoreError> {
        let rows = sqlx::query("SELECT state, people FROM ledger_count WHERE letter = $1")
            .bind(i64::from(letter.0))
            .fetch_all(self.db.reader())
            .await?;
        let mut counts = Counts::default();
        for row in &rows {
            counts.add(state(row, "state")?, number(row, "people")?);
        }
        Ok(counts)
    }
}
