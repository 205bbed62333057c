//! Recording outcomes.

use std::collections::BTreeSet;

use cofferdam_core::Timestamp;
use cofferdam_store::{Backend, StoreError};
use response_api::{LedgerState, LetterId};
use response_mailing::{CameBack, Holder, Outcome, Postponement};
use serde_json::json;
use sqlx::Row as _;

use super::super::rows::{number, sql};
use super::super::{Act, Store, Tx};
use super::{DEFERRED, IN_DOUBT, PLANNED, SUPPRESSED, Shift, state, values_table};

/// The most outcomes in one statement of a settlement.
const SETTLED_AT_ONCE: usize = 5_000;

/// The rows that an outcome may move.
#[derive(Debug, Clone, Copy)]
enum Movable<'a> {
    /// Rows that the worker holds.
    HeldBy(&'a Holder),
    /// Rows in doubt.
    InDoubt,
    /// Rows in this state, planned or deferred, that were replanned and that nobody holds.
    Replanned(LedgerState),
}

impl Store {
    /// Records final outcomes: those of a worker, or those of a relay's log if `holder` is `None`.
    pub async fn record(
        &self,
        letter: LetterId,
        holder: Option<&Holder>,
        outcomes: &[Outcome],
    ) -> Result<(), StoreError> {
        if outcomes.is_empty() {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        tx.record(letter, holder, outcomes).await?;
        tx.commit().await
    }

    /// Puts off rows that a worker held, as a batch of their own.
    pub async fn put_off(
        &self,
        letter: LetterId,
        holder: &Holder,
        outcomes: &[Outcome],
        postponement: Postponement,
    ) -> Result<(), StoreError> {
        let people = outcomes.iter().map(|outcome| outcome.person);
        let (Some(first), Some(last)) = (people.clone().min(), people.max()) else {
            return Ok(());
        };
        let mut tx = self.begin().await?;
        let batch = tx.new_batch(letter, (first, last), postponement).await?;
        let table = outcome_table(tx.backend);
        let moved = sqlx::query(sql(format!(
            "{table} UPDATE ledger SET state = e.state, provider = e.provider, outcome = e.outcome,
                 at_ms = e.at_ms, batch = $3,
                 tried_ms = CASE WHEN e.state = {DEFERRED}
                                  AND (ledger.tried_ms = 0 OR ledger.tried_ms > e.at_ms) THEN e.at_ms
                                 ELSE ledger.tried_ms END
             FROM e WHERE ledger.letter = e.letter AND ledger.person = e.person
               AND ledger.state IN ({PLANNED}, {DEFERRED})
               AND EXISTS (SELECT 1 FROM ledger_batch b WHERE b.letter = ledger.letter
                   AND b.batch = ledger.batch AND b.holder = $4)
             RETURNING ledger.state"
        )))
        .bind(i64::from(letter.0))
        .bind(values_of(outcomes))
        .bind(i64::from(batch))
        .bind(holder.0.clone())
        .fetch_all(&mut *tx.tx)
        .await?;
        let mut shift = Shift::default();
        for row in &moved {
            shift.step(LedgerState::Claimed, state(row, "state")?, 1);
        }
        tx.shift(letter, shift).await?;
        tx.commit().await
    }

    /// Settles doubts from a relay's log: records the letters that it accepted, and replans the
    /// other doubts if the log is `complete`. `act` is given the number of replanned rows, which is
    /// returned.
    pub async fn settle(
        &self,
        letter: LetterId,
        (accepted, complete): (&[Outcome], bool),
        at: Timestamp,
        act: impl FnOnce(u64) -> Act,
    ) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        for some in accepted.chunks(SETTLED_AT_ONCE) {
            tx.record(letter, None, some).await?;
        }
        let replanned = if complete { tx.replan_doubts(letter, None, at).await? } else { 0 };
        tx.journal(&act(replanned)).await?;
        tx.commit().await?;
        Ok(replanned)
    }

    /// Replans the rows that are in doubt only because `holder` fell silent. Returns their number.
    pub async fn replan_unsent(
        &self,
        letter: LetterId,
        holder: &Holder,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        if self.counts(letter).await?.of(LedgerState::InDoubt) == 0 {
            return Ok(0);
        }
        let mut tx = self.begin().await?;
        let replanned = tx.replan_doubts(letter, Some(holder), at).await?;
        if replanned > 0 {
            // A letter that others finished runs again, because its version is approved.
            sqlx::query(
                "UPDATE letter SET state = 'running', finished_ms = NULL
                 WHERE letter = $1 AND state = 'finished'",
            )
            .bind(i64::from(letter.0))
            .execute(&mut *tx.tx)
            .await?;
        }
        tx.commit().await?;
        Ok(replanned)
    }

    /// Moves an accepted or doubted row whose letter came back, or whose reader complained.
    pub async fn came_back(
        &self,
        letter: LetterId,
        outcome: &Outcome,
    ) -> Result<CameBack, StoreError> {
        let mut tx = self.begin().await?;
        let fate = tx.came_back(letter, outcome).await?;
        if matches!(fate, CameBack::Moved { .. }) {
            tx.commit().await?;
        }
        Ok(fate)
    }
}

impl Tx {
    /// Moves an accepted or doubted row whose letter came back, or whose reader complained.
    pub(in crate::store) async fn came_back(
        &mut self,
        letter: LetterId,
        outcome: &Outcome,
    ) -> Result<CameBack, StoreError> {
        let row =
            sqlx::query("SELECT state, provider FROM ledger WHERE letter = $1 AND person = $2")
                .bind(i64::from(letter.0))
                .bind(i64::from(outcome.person))
                .fetch_optional(&mut *self.tx)
                .await?;
        let Some(row) = row else { return Ok(CameBack::Ignored) };
        let before = state(&row, "state")?;
        match before {
            LedgerState::Accepted | LedgerState::InDoubt => {}
            LedgerState::Planned | LedgerState::Deferred => return Ok(CameBack::TooEarly),
            _ => return Ok(CameBack::Ignored),
        }
        let done = sqlx::query(
            "UPDATE ledger SET state = $3, outcome = $4, at_ms = $5, silent_holder = '',
                 tried_ms = CASE WHEN tried_ms = 0 THEN at_ms ELSE tried_ms END
             WHERE letter = $1 AND person = $2 AND state = $6",
        )
        .bind(i64::from(letter.0))
        .bind(i64::from(outcome.person))
        .bind(i64::from(outcome.state.code()))
        .bind(outcome.detail.clone())
        .bind(outcome.at.as_millisecond())
        .bind(i64::from(before.code()))
        .execute(&mut *self.tx)
        .await?
        .rows_affected();
        if done == 0 {
            // Another transaction moved the row at this moment, so the report must be given again.
            return Ok(CameBack::TooEarly);
        }
        let mut shift = Shift::default();
        shift.step(before, outcome.state, 1);
        self.shift(letter, shift).await?;
        Ok(CameBack::Moved { provider: number(&row, "provider")? })
    }

    async fn record(
        &mut self,
        letter: LetterId,
        holder: Option<&Holder>,
        outcomes: &[Outcome],
    ) -> Result<(), StoreError> {
        let held = holder.map(Movable::HeldBy);
        let replanned = [LedgerState::Planned, LedgerState::Deferred].map(Movable::Replanned);
        let mut rest = outcomes.to_vec();
        let mut shift = Shift::default();
        for movable in held.into_iter().chain([Movable::InDoubt]).chain(replanned) {
            if rest.is_empty() {
                break;
            }
            let from = match movable {
                Movable::HeldBy(_) => LedgerState::Claimed,
                Movable::InDoubt => LedgerState::InDoubt,
                Movable::Replanned(state) => state,
            };
            let mut moved = BTreeSet::new();
            for (person, to) in self.move_rows(letter, &rest, movable).await? {
                shift.step(from, to, 1);
                moved.insert(person);
            }
            rest.retain(|outcome| !moved.contains(&outcome.person));
        }
        self.shift(letter, shift).await
    }

    /// Sets the rows that may move to their outcomes, and returns each person with the new state.
    async fn move_rows(
        &mut self,
        letter: LetterId,
        outcomes: &[Outcome],
        movable: Movable<'_>,
    ) -> Result<Vec<(u32, LedgerState)>, StoreError> {
        let (condition, holder) = match movable {
            Movable::HeldBy(holder) => {
                let open = format!("ledger.state IN ({PLANNED}, {DEFERRED})");
                (open + BATCH_IS_HELD, holder.0.clone())
            }
            Movable::InDoubt => (format!("ledger.state = {IN_DOUBT} AND $3 = ''"), String::new()),
            Movable::Replanned(state) => {
                let code = state.code();
                let free = format!("ledger.state = {code} AND e.state <> {IN_DOUBT}");
                (free + BATCH_IS_HELD, String::new())
            }
        };
        let table = outcome_table(self.backend);
        let rows = sqlx::query(sql(format!(
            "{table} UPDATE ledger SET state = e.state, provider = e.provider,
                 outcome = e.outcome, at_ms = e.at_ms, silent_holder = '',
                 tried_ms = CASE WHEN ledger.tried_ms = 0 AND e.state = {IN_DOUBT} THEN 1
                                 WHEN ledger.tried_ms > e.at_ms AND e.state <> {SUPPRESSED}
                                 THEN e.at_ms ELSE ledger.tried_ms END
             FROM e WHERE ledger.letter = e.letter AND ledger.person = e.person AND {condition}
             RETURNING ledger.person AS person, ledger.state AS state"
        )))
        .bind(i64::from(letter.0))
        .bind(values_of(outcomes))
        .bind(holder)
        .fetch_all(&mut *self.tx)
        .await?;
        rows.iter().map(|row| Ok((number(row, "person")?, state(row, "state")?))).collect()
    }

    /// Replans rows in doubt as a batch of their own: all of them, or only those of a silent
    /// worker.
    async fn replan_doubts(
        &mut self,
        letter: LetterId,
        silent: Option<&Holder>,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        let silent = silent.map_or("", |holder| holder.0.as_str()).to_owned();
        let condition = format!("state = {IN_DOUBT} AND ($2 = '' OR silent_holder = $2)");
        let ends = sqlx::query(sql(format!(
            "SELECT COALESCE(MIN(person), -1) AS first, COALESCE(MAX(person), -1) AS last
             FROM ledger WHERE letter = $1 AND {condition}"
        )))
        .bind(i64::from(letter.0))
        .bind(silent.clone())
        .fetch_one(&mut *self.tx)
        .await?;
        if ends.try_get::<i64, _>("first")? < 0 {
            return Ok(0);
        }
        let ends = (number(&ends, "first")?, number(&ends, "last")?);
        let postponement = Postponement { provider: 0, attempts: 0, due: at };
        let batch = self.new_batch(letter, ends, postponement).await?;
        let replanned = sqlx::query(sql(format!(
            "UPDATE ledger SET state = {PLANNED}, batch = $3, at_ms = $4, silent_holder = '',
                 outcome = CASE WHEN $2 = '' THEN outcome ELSE '' END
             WHERE letter = $1 AND {condition}"
        )))
        .bind(i64::from(letter.0))
        .bind(silent)
        .bind(i64::from(batch))
        .bind(at.as_millisecond())
        .execute(&mut *self.tx)
        .await?
        .rows_affected();
        let mut shift = Shift::default();
        let rows = i64::try_from(replanned).unwrap_or(i64::MAX);
        shift.step(LedgerState::InDoubt, LedgerState::Planned, rows);
        self.shift(letter, shift).await?;
        Ok(replanned)
    }
}

/// A condition for rows whose batch has the holder in `$3`; an empty holder means that nobody holds
/// it.
const BATCH_IS_HELD: &str = " AND EXISTS (SELECT 1 FROM ledger_batch b
     WHERE b.letter = ledger.letter AND b.batch = ledger.batch AND b.holder = $3)";

/// A table `e` of the outcomes in `$2`. Each row names the letter: with a constant instead, SQLite
/// would go through every row of the letter and look it up in `e`.
fn outcome_table(backend: Backend) -> String {
    let values = values_table(backend);
    format!(
        "WITH e AS MATERIALIZED (
             SELECT CAST($1 AS INTEGER) AS letter, CAST(e.value ->> 0 AS INTEGER) AS person,
                    CAST(e.value ->> 1 AS INTEGER) AS state,
                    CAST(e.value ->> 2 AS INTEGER) AS provider, e.value ->> 3 AS outcome,
                    CAST(e.value ->> 4 AS BIGINT) AS at_ms
             FROM {values})"
    )
}

/// Outcomes as a JSON array of arrays.
fn values_of(outcomes: &[Outcome]) -> String {
    let values = |outcome: &Outcome| {
        let Outcome { person, state, provider, detail, at } = outcome;
        json!([person, state.code(), provider, detail, at.as_millisecond()])
    };
    serde_json::Value::Array(outcomes.iter().map(values).collect()).to_string()
}
