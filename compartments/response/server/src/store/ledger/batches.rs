//! Batches of rows, with the worker that holds each and the end of its lease.

use cofferdam_core::Timestamp;
use cofferdam_store::{Backend, StoreError};
use response_api::{LedgerState, LetterId};
use response_mailing::{Batch, Holder, Recipient};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::super::rows::{number, sql, told};
use super::super::{Store, Tx};
use super::{DEFERRED, IN_DOUBT, PLANNED, Shift, state};

impl Store {
    /// Claims the next batch that is due at `now` and whose provider is not in `closed`.
    pub async fn claim(
        &self,
        letter: LetterId,
        holder: &Holder,
        (now, until): (Timestamp, Timestamp),
        closed: &[u16],
    ) -> Result<Option<Batch>, StoreError> {
        let mut tx = self.begin().await?;
        let Some(found) = tx.take_next_batch(letter, holder, (now, until), closed).await? else {
            return Ok(None);
        };
        let batch: u32 = number(&found, "batch")?;
        let rows = sqlx::query(sql(format!(
            "SELECT person, fields, while_signed_in, locale, state FROM ledger
             WHERE letter = $1 AND person >= $2 AND person <= $3 AND batch = $4
               AND state IN ({PLANNED}, {DEFERRED}) ORDER BY person DESC"
        )))
        .bind(i64::from(letter.0))
        .bind(number::<i64>(&found, "first")?)
        .bind(number::<i64>(&found, "last")?)
        .bind(i64::from(batch))
        .fetch_all(&mut *tx.tx)
        .await?;
        let mut shift = Shift::default();
        let mut recipients = Vec::with_capacity(rows.len());
        for row in &rows {
            recipients.push(Recipient {
                person: number(row, "person")?,
                told: told(row)?,
                locale: number(row, "locale")?,
            });
            shift.step(state(row, "state")?, LedgerState::Claimed, 1);
        }
        tx.shift(letter, shift).await?;
        if recipients.is_empty() {
            tx.drop_batch(letter, batch).await?;
        }
        tx.commit().await?;
        Ok(Some(Batch { batch, attempts: number(&found, "attempts")?, recipients }))
    }

    /// Extends the lease of a worker's batches, and returns their number.
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
            .bind(until.as_millisecond())
            .execute(self.db.writer())
            .await?;
        Ok(renewed.rows_affected())
    }

    /// The batches that workers hold.
    pub async fn held_batches(&self, letter: LetterId) -> Result<Vec<(u32, Holder)>, StoreError> {
        let rows = sqlx::query(
            "SELECT batch, holder FROM ledger_batch
             WHERE letter = $1 AND holder <> '' ORDER BY batch",
        )
        .bind(i64::from(letter.0))
        .fetch_all(self.db.reader())
        .await?;
        let held = |row: &AnyRow| Ok((number(row, "batch")?, Holder(row.try_get("holder")?)));
        rows.iter().map(held).collect()
    }

    /// Whether no other process can use this database.
    #[must_use]
    pub fn is_exclusive(&self) -> bool {
        self.db.backend() == Backend::Sqlite
    }

    /// Releases a batch of untried rows.
    pub async fn release_batch(
        &self,
        letter: LetterId,
        holder: &Holder,
        batch: u32,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        if !tx.let_go(letter, holder, batch).await? {
            return Ok(());
        }
        let mut shift = Shift::default();
        for (state, rows) in tx.count_open(letter, batch).await? {
            shift.step(LedgerState::Claimed, state, rows);
        }
        tx.shift(letter, shift).await?;
        tx.commit().await
    }

    /// Removes a batch without open rows.
    pub async fn end_batch(&self, letter: LetterId, batch: u32) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        tx.drop_batch(letter, batch).await?;
        tx.commit().await
    }

    /// Puts the open rows of a worker's batch in doubt, and returns their number.
    pub async fn doubt_batch(
        &self,
        letter: LetterId,
        holder: &Holder,
        batch: u32,
        (reason, at): (&str, Timestamp),
    ) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        if !tx.let_go(letter, holder, batch).await? {
            return Ok(0);
        }
        let doubted = tx.doubt_open(letter, batch, (reason, at), None).await?;
        tx.commit().await?;
        Ok(doubted)
    }

    /// Takes over the batches whose lease ended, and puts their open rows in doubt. Returns the
    /// number of rows.
    pub async fn take_over(&self, letter: LetterId, now: Timestamp) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        let late = sqlx::query(
            "UPDATE ledger_batch SET until_ms = $2
             WHERE letter = $1 AND holder <> '' AND until_ms < $2 RETURNING batch, holder",
        )
        .bind(i64::from(letter.0))
        .bind(now.as_millisecond())
        .fetch_all(&mut *tx.tx)
        .await?;
        let mut doubted = 0;
        for row in &late {
            let silent = Holder(row.try_get("holder")?);
            let reason = format!("its worker {} fell silent", silent.0);
            let (batch, doubt) = (number(row, "batch")?, (reason.as_str(), now));
            doubted += tx.doubt_open(letter, batch, doubt, Some(&silent)).await?;
        }
        tx.commit().await?;
        Ok(doubted)
    }
}

impl Tx {
    async fn take_next_batch(
        &mut self,
        letter: LetterId,
        holder: &Holder,
        (now, until): (Timestamp, Timestamp),
        closed: &[u16],
    ) -> Result<Option<AnyRow>, StoreError> {
        let lock = match self.backend {
            Backend::Sqlite => "",
            // A batch that another worker is claiming at this moment is left to that worker.
            Backend::Postgres => "FOR UPDATE SKIP LOCKED",
        };
        let closed: Vec<_> = closed.iter().map(u16::to_string).collect();
        let found = sqlx::query(sql(format!(
            "UPDATE ledger_batch SET holder = $2, until_ms = $3
             WHERE letter = $1 AND batch = (
                 SELECT batch FROM ledger_batch
                 WHERE letter = $1 AND holder = '' AND due_ms <= $4
                   AND (',' || $5 || ',') NOT LIKE ('%,' || provider || ',%')
                 ORDER BY due_ms, batch LIMIT 1 {lock})
             RETURNING batch, attempts, first, last"
        )))
        .bind(i64::from(letter.0))
        .bind(holder.0.clone())
        .bind(until.as_millisecond())
        .bind(now.as_millisecond())
        .bind(closed.join(","))
        .fetch_optional(&mut *self.tx)
        .await?;
        Ok(found)
    }

    /// Frees a worker's batch; `false` if another worker took it over. Every transaction locks a
    /// batch before its rows, so that two transactions never wait for each other.
    async fn let_go(
        &mut self,
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
        .execute(&mut *self.tx)
        .await?;
        Ok(freed.rows_affected() > 0)
    }

    /// Counts the open rows of a batch by state.
    async fn count_open(
        &mut self,
        letter: LetterId,
        batch: u32,
    ) -> Result<Vec<(LedgerState, i64)>, StoreError> {
        let rows = sqlx::query(sql(format!(
            "SELECT l.state, COUNT(*) AS people FROM ledger_batch b JOIN ledger l
                 ON l.letter = b.letter AND l.person >= b.first AND l.person <= b.last
                    AND l.batch = b.batch AND l.state IN ({PLANNED}, {DEFERRED})
             WHERE b.letter = $1 AND b.batch = $2 GROUP BY l.state"
        )))
        .bind(i64::from(letter.0))
        .bind(i64::from(batch))
        .fetch_all(&mut *self.tx)
        .await?;
        rows.iter().map(|row| Ok((state(row, "state")?, number(row, "people")?))).collect()
    }

    /// Puts the open rows of a batch in doubt and removes the batch. `silent` names the worker if
    /// its silence is the only reason.
    async fn doubt_open(
        &mut self,
        letter: LetterId,
        batch: u32,
        (reason, at): (&str, Timestamp),
        silent: Option<&Holder>,
    ) -> Result<u64, StoreError> {
        let done = sqlx::query(sql(format!(
            "UPDATE ledger SET state = {IN_DOUBT}, outcome = $3, at_ms = $4, silent_holder = $5,
                 tried_ms = CASE WHEN tried_ms = 0 THEN 1 ELSE tried_ms END
             WHERE letter = $1 AND batch = $2 AND state IN ({PLANNED}, {DEFERRED})
               AND person >= (SELECT first FROM ledger_batch WHERE letter = $1 AND batch = $2)
               AND person <= (SELECT last FROM ledger_batch WHERE letter = $1 AND batch = $2)"
        )))
        .bind(i64::from(letter.0))
        .bind(i64::from(batch))
        .bind(reason.to_owned())
        .bind(at.as_millisecond())
        .bind(silent.map_or("", |holder| holder.0.as_str()).to_owned())
        .execute(&mut *self.tx)
        .await?
        .rows_affected();
        let mut shift = Shift::default();
        let rows = i64::try_from(done).unwrap_or(i64::MAX);
        shift.step(LedgerState::Claimed, LedgerState::InDoubt, rows);
        self.shift(letter, shift).await?;
        self.drop_batch(letter, batch).await?;
        Ok(done)
    }
}
