//! Passwords, kept as verifiers that only `keys` can compute.

use cofferdam_core::{Record, Timestamp};
use cofferdam_store::{StoreError, epoch_of};
use keys_client::AtRest;
use roaring::RoaringBitmap;
use sqlx::FromRow;

use super::addresses::IndexAtRest;
use super::resting::{MovedAtRest, half_number};
use super::{NewCustomer, Store, Tx, record_of, rows, time_of};
use crate::domain::password::Scheme;
use crate::domain::voiding::Password;

/// The password of a customer.
#[derive(Debug, Clone)]
pub struct Credential {
    /// The way in which the password was hashed before `keys` made the verifier.
    pub scheme: Scheme,
    /// The salt of that hash.
    pub salt: Vec<u8>,
    /// The verifier that `keys` made, under the compartment's half.
    pub verifier: AtRest,
    /// The instant at which the customer chose the password, or at which it was imported, by the clock of
    /// `keys`. The verifier is bound to it.
    pub set_at: Timestamp,
}

/// A credential and its customer.
#[derive(Debug, Clone)]
pub struct KnownCredential {
    /// The customer's record number.
    pub record: Record,
    /// The customer's password.
    pub credential: Credential,
}

#[derive(FromRow)]
struct CredentialRow {
    record: i64,
    scheme: String,
    salt: Vec<u8>,
    verifier: Vec<u8>,
    half: Option<i64>,
    set_at: i64,
}

impl Store {
    /// Finds the credential of the customer with an address, of whose index these are the forms.
    pub async fn credential(
        &self,
        forms: &[IndexAtRest],
    ) -> Result<Option<KnownCredential>, StoreError> {
        let head = "SELECT c.record, c.scheme, c.salt, c.verifier, c.half, c.set_at \
             FROM addresses a JOIN credentials c ON c.record = a.record WHERE a.email_index";
        let Some((sql, keys)) = rows::look_up(head, forms) else { return Ok(None) };
        let query = keys.iter().fold(sqlx::query_as(sql), |q, key| q.bind(key.as_slice()));
        let row: Option<CredentialRow> = query.fetch_optional(self.db.reader()).await?;
        row.map(known).transpose()
    }

    /// Replaces `old` with a newer verifier of the same password. If another password was set
    /// meanwhile, nothing changes.
    pub async fn rehash(
        &self,
        record: Record,
        old: &Credential,
        new: &Credential,
    ) -> Result<(), StoreError> {
        const REHASH: &str = "UPDATE credentials SET scheme = $1, salt = $2, verifier = $3, \
             half = $4, set_at = $5 WHERE record = $6 AND verifier = $7";
        sqlx::query(REHASH)
            .bind(new.scheme.to_string())
            .bind(new.salt.as_slice())
            .bind(new.verifier.bytes.as_slice())
            .bind(half_number(&new.verifier))
            .bind(new.set_at.as_millisecond())
            .bind(i64::from(record.0))
            .bind(old.verifier.bytes.as_slice())
            .execute(self.db.writer())
            .await?;
        Ok(())
    }

    /// Sets a new password of a customer.
    pub async fn set_credential(
        &self,
        tx: &mut Tx,
        record: Record,
        new: &Credential,
    ) -> Result<(), StoreError> {
        const SET: &str = "UPDATE credentials SET scheme = $1, salt = $2, verifier = $3, \
             half = $4, set_at = $5 WHERE record = $6";
        sqlx::query(SET)
            .bind(new.scheme.to_string())
            .bind(new.salt.as_slice())
            .bind(new.verifier.bytes.as_slice())
            .bind(half_number(&new.verifier))
            .bind(new.set_at.as_millisecond())
            .bind(i64::from(record.0))
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// Counts the records that have a credential: every customer, and every decoy.
    pub async fn count_credentials(&self) -> Result<u64, StoreError> {
        let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM credentials")
            .fetch_one(self.db.reader())
            .await?;
        Ok(count.unsigned_abs())
    }

    /// The instant at which each of those `records` that exist set its password, and the instant at
    /// which it came.
    pub async fn passwords(&self, records: &RoaringBitmap) -> Result<Vec<Password>, StoreError> {
        let records: Vec<_> = records.iter().collect();
        let mut found = Vec::with_capacity(records.len());
        for chunk in records.chunks(1_000) {
            let head = "SELECT record, set_at, created FROM credentials WHERE record";
            let Some((sql, keys)) = rows::look_up(head, chunk) else { continue };
            let query = keys.iter().fold(sqlx::query_as(sql), |q, r| q.bind(i64::from(*r)));
            let rows: Vec<(i64, i64, Option<i64>)> = query.fetch_all(self.db.reader()).await?;
            for (record, set_at, created) in rows {
                let (record, set_at) = (record_of(record)?, time_of(set_at)?);
                let created = created.map(time_of).transpose()?;
                found.push(Password { record, set_at, created });
            }
        }
        Ok(found)
    }

    /// Counts the credentials that were set at or before `instant`.
    pub async fn count_set_before(&self, instant: Timestamp) -> Result<u64, StoreError> {
        let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM credentials WHERE set_at <= $1")
            .bind(instant.as_millisecond())
            .fetch_one(self.db.reader())
            .await?;
        Ok(count.unsigned_abs())
    }
}

fn known(row: CredentialRow) -> Result<KnownCredential, StoreError> {
    let scheme = row.scheme.parse();
    let credential = Credential {
        scheme: scheme.map_err(|_| StoreError::Corrupt("an unknown scheme".into()))?,
        salt: row.salt,
        verifier: AtRest { half: row.half.map(epoch_of).transpose()?, bytes: row.verifier },
        set_at: time_of(row.set_at)?,
    };
    Ok(KnownCredential { record: record_of(row.record)?, credential })
}

/// Moves verifiers. One that was replaced meanwhile rests under the newest half, and stays.
pub(super) async fn move_all(tx: &mut Tx, moves: &[&MovedAtRest]) -> Result<(), StoreError> {
    let head = "WITH new (record, was, verifier, half) AS";
    let tail = "UPDATE credentials SET verifier = new.verifier, half = new.half FROM new \
         WHERE credentials.record = new.record AND credentials.verifier = new.was";
    rows::write(tx, head, tail, 4, moves, |query, MovedAtRest { record, old, new }| {
        let query = query.bind(i64::from(record.0)).bind(old.bytes.as_slice());
        query.bind(new.bytes.as_slice()).bind(half_number(new))
    })
    .await
}

pub(super) async fn insert(tx: &mut Tx, customers: &[NewCustomer]) -> Result<(), StoreError> {
    let head = "INSERT INTO credentials (record, scheme, salt, verifier, half, set_at, created)";
    rows::insert(tx, head, 7, customers, |query, customer| {
        let Credential { scheme, salt, verifier, set_at } = &customer.credential;
        query
            .bind(i64::from(customer.record.0))
            .bind(scheme.to_string())
            .bind(salt.as_slice())
            .bind(verifier.bytes.as_slice())
            .bind(half_number(verifier))
            .bind(set_at.as_millisecond())
            .bind(set_at.as_millisecond())
    })
    .await
}
