//! Passwords, as verifiers that only `keys` can make.

use cofferdam_core::{Record, Timestamp};
use cofferdam_store::StoreError;
use sqlx::Row;

use super::{EmailIndex, NewCustomer, Store, Tx, bytes_of, record_of, rows, time_of};
use crate::domain::password::Scheme;

/// One customer's password.
#[derive(Debug, Clone)]
pub struct Credential {
    /// How the password was hashed before it was hardened.
    pub scheme: Scheme,
    /// The salt of that hash.
    pub salt: Vec<u8>,
    /// What `keys` made of the hash.
    pub verifier: [u8; 32],
    /// When the customer chose the password, or when it was imported.
    pub set_at: Timestamp,
}

/// A credential and whose it is.
#[derive(Debug, Clone)]
pub struct KnownCredential {
    /// Whose.
    pub record: Record,
    /// The password.
    pub credential: Credential,
}

impl Store {
    /// The credential of the customer with this address.
    pub async fn credential(
        &self,
        index: &EmailIndex,
    ) -> Result<Option<KnownCredential>, StoreError> {
        const FIND: &str = "SELECT c.record, c.scheme, c.salt, c.verifier, c.set_at \
             FROM addresses a JOIN credentials c ON c.record = a.record WHERE a.email_index = $1";
        let row = sqlx::query(FIND).bind(index.as_slice()).fetch_optional(self.db.reader()).await?;
        let Some(row) = row else { return Ok(None) };
        let scheme = row.try_get::<String, _>(1)?.parse();
        Ok(Some(KnownCredential {
            record: record_of(row.try_get(0)?)?,
            credential: Credential {
                scheme: scheme.map_err(|_| StoreError::Corrupt("an unknown scheme".into()))?,
                salt: row.try_get(2)?,
                verifier: bytes_of(row.try_get(3)?)?,
                set_at: time_of(row.try_get(4)?)?,
            },
        }))
    }

    /// Replaces `old` with another hash of the same password; nothing happens when a new
    /// password was set meanwhile.
    pub async fn rehash(
        &self,
        record: Record,
        old: &Credential,
        new: &Credential,
    ) -> Result<(), StoreError> {
        const REHASH: &str = "UPDATE credentials SET scheme = $1, salt = $2, verifier = $3 \
             WHERE record = $4 AND verifier = $5";
        sqlx::query(REHASH)
            .bind(new.scheme.to_string())
            .bind(new.salt.as_slice())
            .bind(new.verifier.as_slice())
            .bind(i64::from(record.0))
            .bind(old.verifier.as_slice())
            .execute(self.db.writer())
            .await?;
        Ok(())
    }

    /// Sets a new password.
    pub async fn set_credential(
        &self,
        tx: &mut Tx,
        record: Record,
        new: &Credential,
    ) -> Result<(), StoreError> {
        const SET: &str = "UPDATE credentials SET scheme = $1, salt = $2, verifier = $3, \
             set_at = $4 WHERE record = $5";
        sqlx::query(SET)
            .bind(new.scheme.to_string())
            .bind(new.salt.as_slice())
            .bind(new.verifier.as_slice())
            .bind(new.set_at.as_millisecond())
            .bind(i64::from(record.0))
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// How many credentials were set at or before `instant`.
    pub async fn count_set_before(&self, instant: Timestamp) -> Result<u64, StoreError> {
        let (count,): (i64,) =
            sqlx::query_as("SELECT COUNT(*) FROM credentials WHERE set_at <= $1")
                .bind(instant.as_millisecond())
                .fetch_one(self.db.reader())
                .await?;
        Ok(count.unsigned_abs())
    }
}

pub(super) async fn insert(tx: &mut Tx, customers: &[NewCustomer]) -> Result<(), StoreError> {
    let head = "INSERT INTO credentials (record, scheme, salt, verifier, set_at)";
    rows::insert(tx, head, 5, customers, |q, c| {
        q.bind(i64::from(c.record.0))
            .bind(c.credential.scheme.to_string())
            .bind(c.credential.salt.as_slice())
            .bind(c.credential.verifier.as_slice())
            .bind(c.credential.set_at.as_millisecond())
    })
    .await
}
