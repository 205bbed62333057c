//! Sessions, by the hash of their tokens.

use cofferdam_core::{CallerName, Record, Timestamp};
use cofferdam_store::{Generation, StoreError};
use roaring::RoaringBitmap;
use sqlx::{AssertSqlSafe, FromRow};

use super::{Store, Tx, caller_of, record_of, time_of};
use crate::domain::token::TokenHash;

/// A session as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptSession {
    /// The customer's record number.
    pub record: Record,
    /// The app server at which it was opened. It is good nowhere else.
    pub caller: CallerName,
    /// The instant at which it was opened.
    pub opened: Timestamp,
    /// The instant at which it expires.
    pub expires: Timestamp,
}

/// The customers with a session within a window of time.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionsWithin {
    /// The customers who opened a session within the window.
    pub opened: RoaringBitmap,
    /// The customers with an older session that was still good when the window began.
    pub held: RoaringBitmap,
}

#[derive(FromRow)]
struct SessionRow {
    record: i64,
    caller: String,
    opened: i64,
    expires: i64,
}

#[derive(FromRow)]
struct OpenedRow {
    record: i64,
    opened: i64,
}

impl Store {
    /// Stores a session under the hash of its token, if `orders` is still the newest generation.
    /// Returns whether it was stored.
    pub async fn insert_session(
        &self,
        token: &TokenHash,
        session: &KeptSession,
        orders: Generation,
    ) -> Result<bool, StoreError> {
        let insert = format!(
            "INSERT INTO sessions (token_hash, record, caller, opened, expires) \
             SELECT $2, $3, $4, $5, $6 {}",
            self.db.under_generation()
        );
        let stored = sqlx::query(AssertSqlSafe(insert))
            .bind(orders.number())
            .bind(token.as_slice())
            .bind(i64::from(session.record.0))
            .bind(session.caller.as_str())
            .bind(session.opened.as_millisecond())
            .bind(session.expires.as_millisecond())
            .execute(self.db.writer())
            .await?;
        Ok(stored.rows_affected() == 1)
    }

    /// Finds the session with this token.
    pub async fn session(&self, token: &TokenHash) -> Result<Option<KeptSession>, StoreError> {
        const FIND: &str = "SELECT record, caller, opened, expires FROM sessions \
             WHERE token_hash = $1 AND ended IS NULL";
        let row: Option<SessionRow> =
            sqlx::query_as(FIND).bind(token.as_slice()).fetch_optional(self.db.reader()).await?;
        let session = |row: SessionRow| {
            Ok(KeptSession {
                record: record_of(row.record)?,
                caller: caller_of(&row.caller)?,
                opened: time_of(row.opened)?,
                expires: time_of(row.expires)?,
            })
        };
        row.map(session).transpose()
    }

    /// Reads the customers with a session at `caller` (anywhere, for `None`) from `from` to `to`.
    pub async fn sessions_within(
        &self,
        caller: Option<&CallerName>,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<SessionsWithin, StoreError> {
        const LIST: &str = "SELECT record, opened FROM sessions WHERE ($1 = '' OR caller = $1) \
             AND opened <= $3 AND expires >= $2 AND (ended IS NULL OR ended >= $2)";
        let rows: Vec<OpenedRow> = sqlx::query_as(LIST)
            .bind(caller.map_or("", CallerName::as_str))
            .bind(from.as_millisecond())
            .bind(to.as_millisecond())
            .fetch_all(self.db.reader())
            .await?;
        let [mut opened, mut held] = [RoaringBitmap::new(), RoaringBitmap::new()];
        for row in rows {
            let within = row.opened >= from.as_millisecond();
            if within { &mut opened } else { &mut held }.insert(record_of(row.record)?.0);
        }
        Ok(SessionsWithin { opened, held })
    }

    /// Ends a session at `now`.
    pub async fn end_session(&self, token: &TokenHash, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE sessions SET ended = $2 WHERE token_hash = $1 AND ended IS NULL")
            .bind(token.as_slice())
            .bind(now.as_millisecond())
            .execute(self.db.writer())
            .await?;
        Ok(())
    }

    /// Ends every session of a customer.
    pub async fn end_sessions_of(
        &self,
        tx: &mut Tx,
        record: Record,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE sessions SET ended = $2 WHERE record = $1 AND ended IS NULL")
            .bind(i64::from(record.0))
            .bind(now.as_millisecond())
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// Counts the sessions opened after `after` and up to `until` that are still good at `now`.
    pub async fn count_sessions(
        &self,
        after: Option<Timestamp>,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        const COUNT: &str = "SELECT COUNT(*) FROM sessions \
             WHERE opened > $1 AND opened <= $2 AND expires > $3 AND ended IS NULL";
        let count: i64 = sqlx::query_scalar(COUNT)
            .bind(after.map_or(i64::MIN, Timestamp::as_millisecond))
            .bind(until.as_millisecond())
            .bind(now.as_millisecond())
            .fetch_one(self.db.reader())
            .await?;
        Ok(count.unsigned_abs())
    }

    /// The customer and the opening of every session that was opened after `after` and is still
    /// good at `now`.
    pub async fn good_sessions(
        &self,
        after: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Vec<(Record, Timestamp)>, StoreError> {
        const LIST: &str = "SELECT record, opened FROM sessions \
             WHERE expires > $2 AND opened > $1 AND ended IS NULL";
        let rows: Vec<OpenedRow> = sqlx::query_as(LIST)
            .bind(after.map_or(i64::MIN, Timestamp::as_millisecond))
            .bind(now.as_millisecond())
            .fetch_all(self.db.reader())
            .await?;
        rows.into_iter().map(|row| Ok((record_of(row.record)?, time_of(row.opened)?))).collect()
    }

    /// Deletes expired reset codes, and sessions, mailed codes and changes from before `forget`.
    /// Returns the number of deleted rows.
    pub async fn sweep(&self, now: Timestamp, forget: Timestamp) -> Result<u64, StoreError> {
        let mut swept = 0;
        for (delete, before) in [
            ("DELETE FROM resets WHERE expires <= $1", now),
            ("DELETE FROM sessions WHERE expires <= $1", forget),
            ("DELETE FROM mailed WHERE at <= $1", forget),
            ("DELETE FROM changes WHERE at <= $1", forget),
        ] {
            let before = before.as_millisecond();
            let done = sqlx::query(delete).bind(before).execute(self.db.writer()).await?;
            swept += done.rows_affected();
        }
        Ok(swept)
    }
}
