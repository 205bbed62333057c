//! Sessions, by the hash of their tokens.

use cofferdam_core::{CallerName, KeyBytes, Record, Timestamp};
use cofferdam_store::{Generation, StoreError};
use keys_api::PresenceTicket;
use roaring::RoaringBitmap;
use sqlx::{AssertSqlSafe, FromRow};

use super::{Store, Tx, caller_of, record_of, time_of};
use crate::domain::token::TokenHash;

/// A session as it is stored.
#[derive(Debug, Clone)]
pub struct KeptSession {
    /// The customer's record number.
    pub record: Record,
    /// The app server at which it was opened.
    pub caller: CallerName,
    /// The group of app servers at which it is good.
    pub group: CallerName,
    /// The ticket by which `keys` knows that the customer is there; `None` for a session from before.
    pub ticket: Option<PresenceTicket>,
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
    caller_group: Option<String>,
    ticket: Option<Vec<u8>>,
    opened: i64,
    expires: i64,
    seen: i64,
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
            "INSERT INTO sessions \
             (token_hash, record, caller, opened, expires, caller_group, ticket) \
             SELECT $2, $3, $4, $5, $6, $7, $8 {}",
            self.db.under_generation()
        );
        let stored = sqlx::query(AssertSqlSafe(insert))
            .bind(orders.number())
            .bind(token.as_slice())
            .bind(i64::from(session.record.0))
            .bind(session.caller.as_str())
            .bind(session.opened.as_millisecond())
            .bind(session.expires.as_millisecond())
            .bind(session.group.as_str())
            .bind(session.ticket.as_ref().map(ticket_bytes))
            .execute(self.db.writer())
            .await?;
        Ok(stored.rows_affected() == 1)
    }

    /// Finds the session with this token, and whether it was seen at `caller` before.
    pub async fn session(
        &self,
        token: &TokenHash,
        caller: &CallerName,
    ) -> Result<Option<(KeptSession, bool)>, StoreError> {
        const FIND: &str = "SELECT record, caller, caller_group, ticket, opened, expires, \
             (SELECT COUNT(*) FROM session_places p \
              WHERE p.token_hash = $1 AND p.caller = $2) AS seen \
             FROM sessions WHERE token_hash = $1 AND ended IS NULL";
        let row: Option<SessionRow> = sqlx::query_as(FIND)
            .bind(token.as_slice())
            .bind(caller.as_str())
            .fetch_optional(self.db.reader())
            .await?;
        let Some(row) = row else { return Ok(None) };
        let opened_at = caller_of(&row.caller)?;
        let seen = row.seen > 0 || opened_at == *caller;
        let group = row.caller_group.as_deref().map_or(Ok(opened_at.clone()), caller_of)?;
        let session = KeptSession {
            record: record_of(row.record)?,
            caller: opened_at,
            group,
            ticket: row.ticket.as_deref().map(ticket_of).transpose()?,
            opened: time_of(row.opened)?,
            expires: time_of(row.expires)?,
        };
        Ok(Some((session, seen)))
    }

    /// Notes that a session was seen at another caller of its group than the one that opened it.
    pub async fn note_place(
        &self,
        token: &TokenHash,
        caller: &CallerName,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const NOTE: &str = "INSERT INTO session_places (token_hash, caller, first) \
             VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
        sqlx::query(NOTE)
            .bind(token.as_slice())
            .bind(caller.as_str())
            .bind(now.as_millisecond())
            .execute(self.db.writer())
            .await?;
        Ok(())
    }

    /// Reads the customers with a session at `caller` (anywhere, for `None`) from `from` to `to`. At another
    /// caller of its group, a session begins when it is first seen there.
    pub async fn sessions_within(
        &self,
        caller: Option<&CallerName>,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<SessionsWithin, StoreError> {
        const LIST: &str = "SELECT record, opened FROM sessions WHERE ($1 = '' OR caller = $1) \
             AND opened <= $3 AND expires >= $2 AND (ended IS NULL OR ended >= $2) \
             UNION ALL SELECT s.record, p.first FROM session_places p \
             JOIN sessions s ON s.token_hash = p.token_hash WHERE p.caller = $1 \
             AND p.first <= $3 AND s.expires >= $2 AND (s.ended IS NULL OR s.ended >= $2)";
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
            (
                "DELETE FROM session_places WHERE token_hash IN \
                 (SELECT token_hash FROM sessions WHERE expires <= $1)",
                forget,
            ),
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

/// A ticket as it is stored: `given` and `until` in milliseconds, eight bytes each with the highest first,
/// and then the 32 bytes of the code.
fn ticket_bytes(ticket: &PresenceTicket) -> Vec<u8> {
    let PresenceTicket { given, until, mac } = ticket;
    let instants = [given, until].map(|of| of.as_millisecond().to_be_bytes());
    [instants.as_flattened(), mac.expose()].concat()
}

fn ticket_of(bytes: &[u8]) -> Result<PresenceTicket, StoreError> {
    let corrupt = || StoreError::Corrupt("a ticket that is none".into());
    let (given, rest) = bytes.split_first_chunk().ok_or_else(corrupt)?;
    let (until, mac) = rest.split_first_chunk().ok_or_else(corrupt)?;
    let mac = KeyBytes::new(mac.try_into().map_err(|_| corrupt())?);
    let [given, until] = [given, until].map(|of| time_of(i64::from_be_bytes(*of)));
    Ok(PresenceTicket { given: given?, until: until?, mac })
}
