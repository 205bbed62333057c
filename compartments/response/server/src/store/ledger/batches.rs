//! Batches: who works on which rows, and until when.

use cofferdam_core::{FieldSet, Timestamp};
use cofferdam_store::{Backend, StoreError};
use response_api::{LedgerState, LetterId};
use sqlx::{Any, Row, Transaction};

use super::{Shift, Store, code, fields, ms, number, state};

/// A worker: where it runs, and which of its lives this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder(pub String);

impl Holder {
    /// Why rows are in doubt that others took over.
    pub(super) fn silent(&self) -> String {
        format!("its worker {} is heard of no more", self.0)
    }
}

/// A row that a worker works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claimed {
    /// A customer's record number, or a place in the staff roster.
    pub person: u32,
    /// What was read or presented of this person's data.
    pub fields: FieldSet,
    /// The number of the language and jurisdiction.
    pub locale: u16,
}

/// Rows that a worker holds.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Its number.
    pub batch: u32,
    /// Whose mailboxes; 0 while nobody looked.
    pub provider: u16,
    /// How often its rows were put off.
    pub attempts: u16,
    /// Its open rows, the freshest first.
    pub rows: Vec<Claimed>,
}

macro_rules! next_batch {
    ($lock:literal) => {
        concat!(
            "UPDATE ledger_batch SET holder = $2, until_ms = $3
             WHERE letter = $1 AND batch = (
                 SELECT batch FROM ledger_batch
                 WHERE letter = $1 AND holder = '' AND due_ms <= $4
                   AND (',' || $5 || ',') NOT LIKE ('%,' || provider || ',%')
                 ORDER BY due_ms, batch LIMIT 1 ",
            $lock,
            ") RETURNING batch, provider, attempts, first, last"
        )
    };
}

impl Store {
    /// Hands the next batch that is due to a worker, of no provider among `closed`.
    pub async fn claim(
        &self,
        letter: LetterId,
        holder: &Holder,
        until: Timestamp,
        now: Timestamp,
        closed: &[u16],
    ) -> Result<Option<Batch>, StoreError> {
        let sql = match self.db.backend() {
            Backend::Sqlite => next_batch!(""),
            // A batch that another worker is taking right now is left to it.
            Backend::Postgres => next_batch!("FOR UPDATE SKIP LOCKED"),
        };
        let closed: Vec<_> = closed.iter().map(u16::to_string).collect();
        let mut tx = self.begin().await?;
        let found = sqlx::query(sql)
            .bind(i64::from(letter.0))
            .bind(holder.0.clone())
            .bind(ms(until))
            .bind(ms(now))
            .bind(closed.join(","))
            .fetch_optional(&mut *tx)
            .await?;
        let Some(found) = found else { return Ok(None) };
        let batch: u32 = number(found.try_get(0)?)?;
        let (first, last): (i64, i64) = (found.try_get(3)?, found.try_get(4)?);
        let rows = sqlx::query(
            "SELECT person, fields, locale, state FROM ledger
             WHERE letter = $1 AND person >= $2 AND person <= $3 AND batch = $4
               AND state IN (0, 4) ORDER BY person DESC",
        )
        .bind(i64::from(letter.0))
        .bind(first)
        .bind(last)
        .bind(i64::from(batch))
        .fetch_all(&mut *tx)
        .await?;
        let mut shift = Shift::default();
        let mut claimed = Vec::with_capacity(rows.len());
        for row in &rows {
            claimed.push(Claimed {
                person: number(row.try_get(0)?)?,
                fields: fields(row.try_get(1)?)?,
                locale: number(row.try_get(2)?)?,
            });
            shift.step(state(row.try_get(3)?)?, LedgerState::Claimed, 1);
        }
        shift.write(&mut tx, letter).await?;
        if claimed.is_empty() {
            drop_batch(&mut tx, letter, batch).await?;
        }
        tx.commit().await?;
        Ok(Some(Batch {
            batch,
            provider: number(found.try_get(1)?)?,
            attempts: number(found.try_get(2)?)?,
            rows: claimed,
        }))
    }

    /// Holds on to what a worker has. How many batches.
    pub async fn renew(
        &self,
        letter: LetterId,
        holder: &Holder,
        until: Timestamp,
    ) -> Result<u64, StoreError> {
        let sql = "UPDATE ledger_batch SET until_ms = $3 WHERE letter = $1 AND holder = $2";
        let renewed = sqlx::query(sql)
            .bind(i64::from(letter.0))
            .bind(holder.0.clone())
            .bind(ms(until))
            .execute(self.db.writer())
            .await?;
        Ok(renewed.rows_affected())
    }

    /// The batches of a worker, as they stand.
    pub async fn held(&self, letter: LetterId, holder: &Holder) -> Result<Vec<u32>, StoreError> {
        let rows = sqlx::query("SELECT batch FROM ledger_batch WHERE letter = $1 AND holder = $2")
            .bind(i64::from(letter.0))
            .bind(holder.0.clone())
            .fetch_all(self.db.reader())
            .await?;
        rows.iter().map(|row| number(row.try_get(0)?)).collect()
    }

    /// Every batch that is held, and by whom.
    pub async fn all_held(&self, letter: LetterId) -> Result<Vec<(u32, Holder)>, StoreError> {
        let rows = sqlx::query(
            "SELECT batch, holder FROM ledger_batch WHERE letter = $1 AND holder <> ''",
        )
        .bind(i64::from(letter.0))
        .fetch_all(self.db.reader())
        .await?;
        rows.iter().map(|row| Ok((number(row.try_get(0)?)?, Holder(row.try_get(1)?)))).collect()
    }

    /// Whether no other process can have this database open.
    #[must_use]
    pub fn is_single(&self) -> bool {
        self.db.backend() == Backend::Sqlite
    }

    /// Puts a batch back that `holder` has: nobody has tried what is still open in it. One that was
    /// taken from it meanwhile is left alone.
    pub async fn put_back(
        &self,
        letter: LetterId,
        holder: &Holder,
        batch: u32,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        if !let_go(&mut tx, letter, holder, batch).await? {
            return Ok(());
        }
        let open = open_rows(&mut tx, letter, batch).await?;
        let mut shift = Shift::default();
        for (state, people) in open {
            shift.step(LedgerState::Claimed, state, people);
        }
        shift.write(&mut tx, letter).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Ends a batch of which every row has its outcome.
    pub async fn end_batch(&self, letter: LetterId, batch: u32) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        drop_batch(&mut tx, letter, batch).await?;
        tx.commit().await?;
        Ok(())
    }

    /// What is open in a batch that `holder` has may have been sent: it is in doubt. How many rows.
    pub async fn doubt_batch(
        &self,
        letter: LetterId,
        holder: &Holder,
        batch: u32,
        why: &str,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        if !let_go(&mut tx, letter, holder, batch).await? {
            return Ok(0);
        }
        let people = doubt(&mut tx, letter, batch, why, at).await?;
        tx.commit().await?;
        Ok(people)
    }

    /// Takes over what workers held that are heard of no more: nobody here can tell what they
    /// sent, so it is in doubt. How many rows.
    pub async fn take_over(&self, letter: LetterId, now: Timestamp) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        let late = sqlx::query(
            "UPDATE ledger_batch SET until_ms = $2
             WHERE letter = $1 AND holder <> '' AND until_ms < $2 RETURNING batch, holder",
        )
        .bind(i64::from(letter.0))
        .bind(ms(now))
        .fetch_all(&mut *tx)
        .await?;
        let mut people = 0;
        for row in late {
            let why = Holder(row.try_get(1)?).silent();
            people += doubt(&mut tx, letter, number(row.try_get(0)?)?, &why, now).await?;
        }
        tx.commit().await?;
        Ok(people)
    }
}

/// Has nobody hold a batch that `holder` has; `false` when it was taken from it meanwhile. The batch
/// first, then its rows: whoever takes one over does the same, and one waits.
async fn let_go(
    tx: &mut Transaction<'static, Any>,
    letter: LetterId,
    holder: &Holder,
    batch: u32,
) -> Result<bool, StoreError> {
    let freed = sqlx::query(
        "UPDATE ledger_batch SET holder = '', until_ms = 0
         WHERE letter = $1 AND batch = $2 AND holder = $3",
    )
    .bind(i64::from(letter.0))
    .bind(i64::from(batch))
    .bind(holder.0.clone())
    .execute(&mut **tx)
    .await?;
    Ok(freed.rows_affected() > 0)
}

/// How many rows of a batch are open, by state.
async fn open_rows(
    tx: &mut Transaction<'static, Any>,
    letter: LetterId,
    batch: u32,
) -> Result<Vec<(LedgerState, i64)>, StoreError> {
    let rows = sqlx::query(
        "SELECT l.state, COUNT(*) FROM ledger_batch b JOIN ledger l
             ON l.letter = b.letter AND l.person >= b.first AND l.person <= b.last
                AND l.batch = b.batch AND l.state IN (0, 4)
         WHERE b.letter = $1 AND b.batch = $2 GROUP BY l.state",
    )
    .bind(i64::from(letter.0))
    .bind(i64::from(batch))
    .fetch_all(&mut **tx)
    .await?;
    rows.iter().map(|row| Ok((state(row.try_get(0)?)?, row.try_get(1)?))).collect()
}

async fn doubt(
    tx: &mut Transaction<'static, Any>,
    letter: LetterId,
    batch: u32,
    why: &str,
    at: Timestamp,
) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "UPDATE ledger SET state = $5, outcome = $3, at_ms = $4,
             tried_ms = CASE WHEN tried_ms = 0 THEN 1 ELSE tried_ms END
         WHERE letter = $1 AND batch = $2 AND state IN (0, 4)
           AND person >= (SELECT first FROM ledger_batch WHERE letter = $1 AND batch = $2)
           AND person <= (SELECT last FROM ledger_batch WHERE letter = $1 AND batch = $2)",
    )
    .bind(i64::from(letter.0))
    .bind(i64::from(batch))
    .bind(why.to_owned())
    .bind(ms(at))
    .bind(i64::from(code(LedgerState::InDoubt)))
    .execute(&mut **tx)
    .await?;
    let people = i64::try_from(done.rows_affected()).unwrap_or(i64::MAX);
    let mut shift = Shift::default();
    shift.step(LedgerState::Claimed, LedgerState::InDoubt, people);
    shift.write(tx, letter).await?;
    drop_batch(tx, letter, batch).await?;
    Ok(done.rows_affected())
}

async fn drop_batch(
    tx: &mut Transaction<'static, Any>,
    letter: LetterId,
    batch: u32,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM ledger_batch WHERE letter = $1 AND batch = $2")
        .bind(i64::from(letter.0))
        .bind(i64::from(batch))
        .execute(&mut **tx)
        .await?;
    Ok(())
}
