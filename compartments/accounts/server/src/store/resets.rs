//! Reset codes that are waiting to be used.

use cofferdam_core::{Record, Timestamp};
use cofferdam_store::StoreError;

use super::{Store, Tx, record_of};
use crate::domain::token::TokenHash;

impl Store {
    /// Stores a code, unless `limit` codes of the customer are waiting. Returns whether it was
    /// stored.
    pub async fn insert_reset(
        &self,
        code: &TokenHash,
        record: Record,
        now: Timestamp,
        expires: Timestamp,
        limit: i64,
    ) -> Result<bool, StoreError> {
        const INSERT: &str = "INSERT INTO resets (code_hash, record, expires) \
             SELECT $1, $2, $3 WHERE (SELECT COUNT(*) FROM resets \
             WHERE record = $2 AND expires > $4) < $5";
        let done = sqlx::query(INSERT)
            .bind(code.as_slice())
            .bind(i64::from(record.0))
            .bind(expires.as_millisecond())
            .bind(now.as_millisecond())
            .bind(limit)
            .execute(self.db.writer())
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Finds the customer for whom a code was made, as long as the code has not expired.
    pub async fn reset(
        &self,
        code: &TokenHash,
        now: Timestamp,
    ) -> Result<Option<Record>, StoreError> {
        let record: Option<i64> =
            sqlx::query_scalar("SELECT record FROM resets WHERE code_hash = $1 AND expires > $2")
                .bind(code.as_slice())
                .bind(now.as_millisecond())
                .fetch_optional(self.db.reader())
                .await?;
        record.map(record_of).transpose()
    }

    /// Uses up all codes of a customer. Returns `false` if `code` was used meanwhile.
    pub async fn use_reset(
        &self,
        tx: &mut Tx,
        code: &TokenHash,
        record: Record,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM resets WHERE code_hash = $1")
            .bind(code.as_slice())
            .execute(&mut **tx)
            .await?;
        sqlx::query("DELETE FROM resets WHERE record = $1")
            .bind(i64::from(record.0))
            .execute(&mut **tx)
            .await?;
        Ok(done.rows_affected() == 1)
    }
}
