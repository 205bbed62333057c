//! Sessions.

use cofferdam_core::{CallerName, Record, Timestamp};
use cofferdam_store::StoreError;
use sqlx::Row;

use super::{Store, Tx, record_of, time_of};
use crate::domain::token::TokenHash;

/// A session as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptSession {
    /// Whose.
    pub record: Record,
    /// Where it was opened, and only there it is worth something.
    pub caller: CallerName,
    /// When it was opened.
    pub opened: Timestamp,
    /// Until when it is good.
    pub expires: Timestamp,
}

impl Store {
    /// Keeps a session.
    pub async fn insert_session(
        &self,
        token: &TokenHash,
        session: &KeptSession,
    ) -> Result<(), StoreError> {
        const INSERT: &str = "INSERT INTO sessions (token_hash, record, caller, opened, expires) \
             VALUES ($1, $2, $3, $4, $5)";
        sqlx::query(INSERT)
            .bind(token.as_slice())
            .bind(i64::from(session.record.0))
            .bind(session.caller.as_str())
            .bind(session.opened.as_millisecond())
            .bind(session.expires.as_millisecond())
            .execute(self.db.writer())
            .await?;
        Ok(())
    }

    /// The session with this token.
    pub async fn session(&self, token: &TokenHash) -> Result<Option<KeptSession>, StoreError> {
        const FIND: &str = "SELECT record, caller, opened, expires FROM sessions \
             WHERE token_hash = $1 AND ended IS NULL";
        let row = sqlx::query(FIND).bind(token.as_slice()).fetch_optional(self.db.reader()).await?;
        let Some(row) = row else { return Ok(None) };
        let caller = row.try_get::<String, _>(1)?.parse();
        Ok(Some(KeptSession {
            record: record_of(row.try_get(0)?)?,
            caller: caller.map_err(|_| StoreError::Corrupt("a caller with no name".into()))?,
            opened: time_of(row.try_get(2)?)?,
            expires: time_of(row.try_get(3)?)?,
        }))
    }

    /// Ends a session.
    pub async fn end_session(&self, token: &TokenHash, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE sessions SET ended = $2 WHERE token_hash = $1 AND ended IS NULL")
            .bind(token.as_slice())
            .bind(now.as_millisecond())
            .execute(self.db.writer())
            .await?;
        Ok(())
    }

    /// Ends all sessions of a customer.
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

    /// How many sessions opened after `after` and up to `until` have not expired at `now`.
    pub async fn count_sessions(
        &self,
        after: Option<Timestamp>,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        const COUNT: &str = "SELECT COUNT(*) FROM sessions \
             WHERE opened > $1 AND opened <= $2 AND expires > $3 AND ended IS NULL";
        let (count,): (i64,) = sqlx::query_as(COUNT)
            .bind(after.map_or(i64::MIN, Timestamp::as_millisecond))
            .bind(until.as_millisecond())
            .bind(now.as_millisecond())
            .fetch_one(self.db.reader())
            .await?;
        Ok(count.unsigned_abs())
    }

    /// Forgets reset codes that expired, and what nobody will ask about any more: sessions,
    /// letters and changes of before `forget`.
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
