//! What became of rows.

use cofferdam_core::Timestamp;
use cofferdam_store::{Backend, StoreError};
use response_api::{LedgerState, LetterId};
use serde_json::json;
use sqlx::{Any, Row, Transaction};

use super::{Holder, Shift, Store, code, ms, number, state, with_values};

/// What became of a row that a worker held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Whose row.
    pub person: u32,
    /// Its new state.
    pub state: LedgerState,
    /// Whose mailbox it was for; 0 where nobody looked.
    pub provider: u16,
    /// The relay's queue id, or what it said.
    pub outcome: String,
    /// When, as whoever asked the relay saw it.
    pub at: Timestamp,
}

/// Rows that are put off together.
#[derive(Debug, Clone, Copy)]
pub struct Put {
    /// Whose mailboxes.
    pub provider: u16,
    /// How often, with this time.
    pub attempts: u16,
    /// Until when.
    pub due: Timestamp,
}

/// What became of a report that a letter came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CameBack {
    /// The row moved; whose mailbox it was for.
    Moved {
        /// The provider's number.
        provider: u16,
    },
    /// The ledger has not learned yet that the letter went out: the report must come again.
    Early,
    /// There is no such row, or it has its last outcome.
    Nothing,
}

/// Which rows an outcome may move.
#[derive(Debug, Clone, Copy)]
enum From {
    /// What the worker holds.
    Held,
    /// What is in doubt.
    Doubted,
    /// What was planned again, and nobody holds: planned, and deferred.
    Free(LedgerState),
}

/// SQL after a table `e` of outcomes, made of `$2` once. Each row names the letter: were that a
/// constant, `SQLite` would go through all rows of the letter and look each up in `e`.
macro_rules! with_outcomes {
    ($backend:expr, $sql:expr) => {
        with_values!(
            $backend,
            "WITH e AS MATERIALIZED (
                 SELECT CAST($1 AS INTEGER) AS letter, CAST(e.value ->> 0 AS INTEGER) AS person,
                        CAST(e.value ->> 1 AS INTEGER) AS state,
                        CAST(e.value ->> 2 AS INTEGER) AS provider, e.value ->> 3 AS outcome,
                        CAST(e.value ->> 4 AS BIGINT) AS at_ms
                 FROM",
            concat!(") ", $sql)
        )
    };
}

/// SQL that sets rows to outcomes, where they are as `$which` says; their new states.
macro_rules! set_outcomes {
    ($backend:expr, $which:literal) => {
        with_outcomes!(
            $backend,
            concat!(
                "UPDATE ledger SET state = e.state, provider = e.provider,
                     outcome = e.outcome, at_ms = e.at_ms,
                     tried_ms = CASE WHEN ledger.tried_ms = 0 AND e.state = 3 THEN 1
                                     ELSE ledger.tried_ms END
                 FROM e WHERE ledger.letter = e.letter AND ledger.person = e.person AND ",
                $which,
                " RETURNING ledger.state"
            )
        )
    };
}

impl Store {
    /// Records final outcomes of a worker, or of the relay's log where there is none. One of a worker
    /// that was given up also settles its doubt, or says what the doubt is; what is planned again
    /// since then does not go out, if it went. Whoever has an outcome already keeps it.
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
        let values = values(outcomes);
        let (mut shift, mut moved) = (Shift::default(), 0);
        let free = [LedgerState::Planned, LedgerState::Deferred].map(From::Free);
        for from in [From::Held, From::Doubted].into_iter().chain(free) {
            if moved == outcomes.len() {
                break;
            }
            let was = match from {
                From::Held => LedgerState::Claimed,
                From::Doubted => LedgerState::InDoubt,
                From::Free(state) => state,
            };
            let by = holder.map_or("", |holder| holder.0.as_str());
            if matches!(from, From::Held) && by.is_empty() {
                continue;
            }
            for state in self.set(&mut tx, letter, &values, (from, by)).await? {
                shift.step(was, state, 1);
                moved += 1;
            }
        }
        shift.write(&mut tx, letter).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Puts rows off that a worker held, as a batch of their own.
    pub async fn put_off(
        &self,
        letter: LetterId,
        holder: &Holder,
        rows: &[Outcome],
        put: Put,
    ) -> Result<(), StoreError> {
        let people = rows.iter().map(|row| row.person);
        let (Some(first), Some(last)) = (people.clone().min(), people.max()) else {
            return Ok(());
        };
        let mut tx = self.begin().await?;
        let batch = new_batch(&mut tx, letter, (first, last), put).await?;
        let sql = with_outcomes!(
            self.db.backend(),
            "UPDATE ledger SET state = e.state, provider = e.provider, outcome = e.outcome,
                 at_ms = e.at_ms, batch = $3,
                 tried_ms = CASE WHEN ledger.tried_ms = 0 AND e.state = 4 THEN e.at_ms
                                 ELSE ledger.tried_ms END
             FROM e WHERE ledger.letter = e.letter AND ledger.person = e.person AND ledger.state IN (0, 4)
               AND EXISTS (SELECT 1 FROM ledger_batch b WHERE b.letter = ledger.letter
                   AND b.batch = ledger.batch AND b.holder = $4)
             RETURNING ledger.state"
        );
        let moved = sqlx::query(sql)
            .bind(i64::from(letter.0))
            .bind(values(rows))
            .bind(i64::from(batch))
            .bind(holder.0.clone())
            .fetch_all(&mut *tx)
            .await?;
        let mut shift = Shift::default();
        for row in moved {
            shift.step(LedgerState::Claimed, state(row.try_get(0)?)?, 1);
        }
        shift.write(&mut tx, letter).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Plans rows again that are in doubt, under the Message-IDs that they had. How many.
    pub async fn plan_doubted(&self, letter: LetterId, at: Timestamp) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        let planned = plan_again(&mut tx, letter, "", at).await?;
        tx.commit().await?;
        Ok(planned)
    }

    /// A worker that others gave up, and all of whose outcomes and own doubts are recorded, never
    /// sent what is in doubt for its silence alone: that is planned again. How many rows.
    pub async fn plan_unsent(
        &self,
        letter: LetterId,
        holder: &Holder,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        if self.counts(letter).await?.of(LedgerState::InDoubt) == 0 {
            return Ok(0);
        }
        let mut tx = self.begin().await?;
        let planned = plan_again(&mut tx, letter, &holder.silent(), at).await?;
        if planned > 0 {
            // A letter that others finished goes on: it is the version that was approved.
            sqlx::query(
                "UPDATE letter SET state = 'running', finished_ms = NULL
                 WHERE letter = $1 AND state = 'finished'",
            )
            .bind(i64::from(letter.0))
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        Ok(planned)
    }

    /// A letter came back, or its reader complained: an accepted row, or one in doubt, moves on.
    pub async fn came_back(
        &self,
        letter: LetterId,
        outcome: &Outcome,
    ) -> Result<CameBack, StoreError> {
        let mut tx = self.begin().await?;
        let was =
            sqlx::query("SELECT state, provider FROM ledger WHERE letter = $1 AND person = $2")
                .bind(i64::from(letter.0))
                .bind(i64::from(outcome.person))
                .fetch_optional(&mut *tx)
                .await?;
        let Some(was) = was else { return Ok(CameBack::Nothing) };
        let provider = number(was.try_get(1)?)?;
        let was = state(was.try_get(0)?)?;
        match was {
            LedgerState::Accepted | LedgerState::InDoubt => {}
            LedgerState::Planned | LedgerState::Deferred => return Ok(CameBack::Early),
            _ => return Ok(CameBack::Nothing),
        }
        let done = sqlx::query(
            "UPDATE ledger SET state = $3, outcome = $4, at_ms = $5,
                 tried_ms = CASE WHEN tried_ms = 0 THEN at_ms ELSE tried_ms END
             WHERE letter = $1 AND person = $2 AND state = $6",
        )
        .bind(i64::from(letter.0))
        .bind(i64::from(outcome.person))
        .bind(i64::from(code(outcome.state)))
        .bind(outcome.outcome.clone())
        .bind(ms(outcome.at))
        .bind(i64::from(code(was)))
        .execute(&mut *tx)
        .await?;
        let mut shift = Shift::default();
        shift.step(was, outcome.state, i64::try_from(done.rows_affected()).unwrap_or(0));
        shift.write(&mut tx, letter).await?;
        tx.commit().await?;
        let moved = done.rows_affected() > 0;
        Ok(if moved { CameBack::Moved { provider } } else { CameBack::Early })
    }

    /// Sets the rows that may move; their new states.
    async fn set(
        &self,
        tx: &mut Transaction<'static, Any>,
        letter: LetterId,
        values: &str,
        (from, holder): (From, &str),
    ) -> Result<Vec<LedgerState>, StoreError> {
        let backend = self.db.backend();
        let (sql, bound) = match from {
            From::Held => {
                let sql = set_outcomes!(
                    backend,
                    "ledger.state IN (0, 4)
                     AND EXISTS (SELECT 1 FROM ledger_batch b WHERE b.letter = ledger.letter
                         AND b.batch = ledger.batch AND b.holder = $3)"
                );
                (sql, holder.to_owned())
            }
            From::Doubted => {
                (set_outcomes!(backend, "ledger.state = 3 AND $3 = ''"), String::new())
            }
            From::Free(state) => {
                let sql = set_outcomes!(
                    backend,
                    "CAST(ledger.state AS TEXT) = $3 AND e.state <> 3
                     AND EXISTS (SELECT 1 FROM ledger_batch b WHERE b.letter = ledger.letter
                         AND b.batch = ledger.batch AND b.holder = '')"
                );
                (sql, code(state).to_string())
            }
        };
        let rows = sqlx::query(sql)
            .bind(i64::from(letter.0))
            .bind(values.to_owned())
            .bind(bound)
            .fetch_all(&mut **tx)
            .await?;
        rows.iter().map(|row| state(row.try_get(0)?)).collect()
    }
}

/// Plans what is in doubt again, as a batch of its own: all of it, or what is so for the reason `why`.
async fn plan_again(
    tx: &mut Transaction<'static, Any>,
    letter: LetterId,
    why: &str,
    at: Timestamp,
) -> Result<u64, StoreError> {
    let ends = sqlx::query(
        "SELECT MIN(person), MAX(person) FROM ledger
         WHERE letter = $1 AND state = 3 AND ($2 = '' OR outcome = $2)",
    )
    .bind(i64::from(letter.0))
    .bind(why.to_owned())
    .fetch_one(&mut **tx)
    .await?;
    let (Some(first), Some(last)) =
        (ends.try_get::<Option<i64>, _>(0)?, ends.try_get::<Option<i64>, _>(1)?)
    else {
        return Ok(0);
    };
    let put = Put { provider: 0, attempts: 0, due: at };
    let batch = new_batch(tx, letter, (number(first)?, number(last)?), put).await?;
    let planned = sqlx::query(
        "UPDATE ledger SET state = 0, batch = $3, at_ms = $4,
             outcome = CASE WHEN $2 = '' THEN outcome ELSE '' END
         WHERE letter = $1 AND state = 3 AND ($2 = '' OR outcome = $2)",
    )
    .bind(i64::from(letter.0))
    .bind(why.to_owned())
    .bind(i64::from(batch))
    .bind(ms(at))
    .execute(&mut **tx)
    .await?
    .rows_affected();
    let mut shift = Shift::default();
    let people = i64::try_from(planned).unwrap_or(i64::MAX);
    shift.step(LedgerState::InDoubt, LedgerState::Planned, people);
    shift.write(tx, letter).await?;
    Ok(planned)
}

fn values(rows: &[Outcome]) -> String {
    let row =
        |row: &Outcome| json!([row.person, code(row.state), row.provider, row.outcome, ms(row.at)]);
    serde_json::Value::Array(rows.iter().map(row).collect()).to_string()
}

async fn new_batch(
    tx: &mut Transaction<'static, Any>,
    letter: LetterId,
    (first, last): (u32, u32),
    put: Put,
) -> Result<u32, StoreError> {
    let row = sqlx::query(
        "UPDATE letter SET next_batch = next_batch + 1 WHERE letter = $1 RETURNING next_batch",
    )
    .bind(i64::from(letter.0))
    .fetch_one(&mut **tx)
    .await?;
    let batch: u32 = number(row.try_get(0)?)?;
    sqlx::query(
        "INSERT INTO ledger_batch
             (letter, batch, first, last, provider, attempts, due_ms, holder, until_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, '', 0)",
    )
    .bind(i64::from(letter.0))
    .bind(i64::from(batch))
    .bind(i64::from(first))
    .bind(i64::from(last))
    .bind(i64::from(put.provider))
    .bind(i64::from(put.attempts))
    .bind(ms(put.due))
    .execute(&mut **tx)
    .await?;
    Ok(batch)
}
