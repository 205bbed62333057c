//! The ledger: one row a person and letter. Rows move only on a recorded outcome.

use cofferdam_core::{FieldSet, Timestamp};
use cofferdam_store::{Backend, StoreError};
use response_api::{LedgerState, LetterId};
use sqlx::Row;

use super::{Store, corrupt, instant, number};

/// A row to be written.
#[derive(Debug, Clone, Copy)]
pub struct PlannedRow {
    /// A customer's record number, or a place in the staff roster.
    pub person: u32,
    /// What was read or presented of this person's data.
    pub fields: FieldSet,
}

/// A row that a worker works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claimed {
    /// A customer's record number, or a place in the staff roster.
    pub person: u32,
    /// What was read or presented of this person's data.
    pub fields: FieldSet,
}

/// What became of a claimed row.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Whose row.
    pub person: u32,
    /// Its new state.
    pub state: LedgerState,
    /// The relay's queue id, or what it said.
    pub outcome: Option<String>,
}

/// Rows by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts(pub [u64; LedgerState::ALL.len()]);

impl Counts {
    /// How many rows are in a state.
    #[must_use]
    pub fn of(&self, state: LedgerState) -> u64 {
        LedgerState::ALL.iter().zip(self.0).filter(|(s, _)| **s == state).map(|(_, n)| n).sum()
    }

    /// All rows.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Whether some row still waits for its outcome.
    #[must_use]
    pub fn unsettled(&self) -> bool {
        self.of(LedgerState::Planned) + self.of(LedgerState::Claimed) > 0
    }
}

macro_rules! claim {
    ($lock:literal) => {
        concat!(
            "UPDATE ledger SET state = 'claimed', at_ms = $2
             WHERE letter = $1 AND person IN (
                 SELECT person FROM ledger WHERE letter = $1 AND state = 'planned'
                 ORDER BY at_ms, person LIMIT $3 ",
            $lock,
            ") RETURNING person, fields"
        )
    };
}

impl Store {
    /// Adds rows that are not there yet.
    pub async fn plan(
        &self,
        letter: LetterId,
        rows: &[PlannedRow],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        for row in rows {
            sqlx::query(
                "INSERT INTO ledger (letter, person, state, fields, at_ms)
                 VALUES ($1, $2, 'planned', $3, $4) ON CONFLICT (letter, person) DO NOTHING",
            )
            .bind(i64::from(letter.0))
            .bind(i64::from(row.person))
            .bind(i64::from(row.fields.bits()))
            .bind(at.as_millisecond())
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Hands up to `limit` planned rows to a worker.
    pub async fn claim(
        &self,
        letter: LetterId,
        limit: u32,
        at: Timestamp,
    ) -> Result<Vec<Claimed>, StoreError> {
        let sql = match self.db.backend() {
            Backend::Sqlite => claim!(""),
            // Rows that another worker is claiming right now are left to it.
            Backend::Postgres => claim!("FOR UPDATE SKIP LOCKED"),
        };
        let rows = sqlx::query(sql)
            .bind(i64::from(letter.0))
            .bind(at.as_millisecond())
            .bind(i64::from(limit))
            .fetch_all(self.db.writer())
            .await?;
        let mut claimed = rows
            .iter()
            .map(|row| {
                let fields = fields(row.try_get(1)?)?;
                Ok(Claimed { person: number(row.try_get(0)?)?, fields })
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        claimed.sort_unstable_by_key(|row| row.person);
        Ok(claimed)
    }

    /// Records what became of claimed rows.
    pub async fn record(
        &self,
        letter: LetterId,
        outcomes: &[Outcome],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        for outcome in outcomes {
            sqlx::query(
                "UPDATE ledger SET state = $3, outcome = $4, at_ms = $5
                 WHERE letter = $1 AND person = $2",
            )
            .bind(i64::from(letter.0))
            .bind(i64::from(outcome.person))
            .bind(outcome.state.as_str())
            .bind(outcome.outcome.clone())
            .bind(at.as_millisecond())
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// What a worker had claimed that is no more may have been sent or not: it is in doubt. How
    /// many rows.
    pub async fn doubt_claimed(&self, letter: LetterId, at: Timestamp) -> Result<u64, StoreError> {
        let done = sqlx::query(
            "UPDATE ledger SET state = 'in_doubt', at_ms = $2, outcome =
                 'the sending process ended before the outcome was recorded'
             WHERE letter = $1 AND state = 'claimed'",
        )
        .bind(i64::from(letter.0))
        .bind(at.as_millisecond())
        .execute(self.db.writer())
        .await?;
        Ok(done.rows_affected())
    }

    /// Rows by state.
    pub async fn counts(&self, letter: LetterId) -> Result<Counts, StoreError> {
        let rows =
            sqlx::query("SELECT state, COUNT(*) FROM ledger WHERE letter = $1 GROUP BY state")
                .bind(i64::from(letter.0))
                .fetch_all(self.db.reader())
                .await?;
        let mut counts = Counts::default();
        for row in rows {
            let name: String = row.try_get(0)?;
            let place = LedgerState::ALL.iter().position(|state| state.as_str() == name);
            let place = place.ok_or_else(|| corrupt(format!("the ledger state {name:?}")))?;
            counts.0[place] = row.try_get::<i64, _>(1)?.cast_unsigned();
        }
        Ok(counts)
    }

    /// Rows from `from` on, ascending: person, state, fields, outcome, when.
    pub async fn ledger(
        &self,
        letter: LetterId,
        from: u32,
        limit: u32,
    ) -> Result<Vec<(u32, LedgerState, FieldSet, Option<String>, Timestamp)>, StoreError> {
        let rows = sqlx::query(
            "SELECT person, state, fields, outcome, at_ms FROM ledger
             WHERE letter = $1 AND person >= $2 ORDER BY person LIMIT $3",
        )
        .bind(i64::from(letter.0))
        .bind(i64::from(from))
        .bind(i64::from(limit))
        .fetch_all(self.db.reader())
        .await?;
        rows.iter()
            .map(|row| {
                let name: String = row.try_get(1)?;
                let state = LedgerState::ALL.into_iter().find(|state| state.as_str() == name);
                Ok((
                    number(row.try_get(0)?)?,
                    state.ok_or_else(|| corrupt(format!("the ledger state {name:?}")))?,
                    fields(row.try_get(2)?)?,
                    row.try_get(3)?,
                    instant(row.try_get(4)?)?,
                ))
            })
            .collect()
    }
}

fn fields(bits: i64) -> Result<FieldSet, StoreError> {
    let set = u16::try_from(bits).ok().and_then(FieldSet::from_bits);
    set.ok_or_else(|| corrupt(format!("the field bits {bits}")))
}
