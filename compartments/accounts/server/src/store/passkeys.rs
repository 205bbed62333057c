//! Passkeys, by the names that they have. `keys` certified the public keys.

use std::collections::BTreeSet;

use cofferdam_core::{Base64Url, KeyBytes, PasskeyAlgorithm, Record};
use cofferdam_store::StoreError;
use keys_api::Passkey;
use sqlx::FromRow;

use super::{Store, Tx, bytes_of, record_of, time_of};

/// A passkey and its customer.
#[derive(Debug, Clone)]
pub struct KnownPasskey {
    /// The customer's record number.
    pub record: Record,
    /// The passkey, as `keys` certified it.
    pub passkey: Passkey,
}

#[derive(FromRow)]
struct PasskeyRow {
    record: i64,
    public_key: Vec<u8>,
    algorithm: i64,
    relying_party: String,
    set_at: i64,
    mac: Vec<u8>,
}

impl Store {
    /// Adds a passkey of a customer. Returns `false` if the customer was erased meanwhile.
    pub async fn insert_passkey(
        &self,
        credential_id: &Base64Url,
        known: &KnownPasskey,
    ) -> Result<bool, StoreError> {
        const INSERT: &str = "INSERT INTO passkeys \
             (credential_id, record, public_key, algorithm, relying_party, set_at, mac) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let KnownPasskey { record, passkey } = known;
        let mut tx = self.begin().await?;
        if self.lock_customers(&mut tx, BTreeSet::from([*record])).await?.is_empty() {
            return Ok(false);
        }
        sqlx::query(INSERT)
            .bind(credential_id.0.as_slice())
            .bind(i64::from(record.0))
            .bind(passkey.public_key.0.as_slice())
            .bind(i64::from(passkey.algorithm.cose()))
            .bind(passkey.relying_party.as_str())
            .bind(passkey.set_at.as_millisecond())
            .bind(passkey.mac.expose().as_slice())
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Finds a passkey by its name.
    pub async fn passkey(
        &self,
        credential_id: &Base64Url,
    ) -> Result<Option<KnownPasskey>, StoreError> {
        const FIND: &str = "SELECT record, public_key, algorithm, relying_party, set_at, mac \
             FROM passkeys WHERE credential_id = $1";
        let row: Option<PasskeyRow> = sqlx::query_as(FIND)
            .bind(credential_id.0.as_slice())
            .fetch_optional(self.db.reader())
            .await?;
        row.map(known).transpose()
    }

    /// Deletes the passkeys of a customer.
    pub async fn delete_passkeys_of(&self, tx: &mut Tx, record: Record) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM passkeys WHERE record = $1")
            .bind(i64::from(record.0))
            .execute(&mut **tx)
            .await?;
        Ok(())
    }
}

fn known(row: PasskeyRow) -> Result<KnownPasskey, StoreError> {
    let corrupt = |what: &str| StoreError::Corrupt(what.to_owned());
    let algorithm = PasskeyAlgorithm::from_cose(row.algorithm);
    let relying_party = row.relying_party.parse();
    let passkey = Passkey {
        public_key: Base64Url(row.public_key),
        algorithm: algorithm.ok_or_else(|| corrupt("an unknown algorithm of a passkey"))?,
        relying_party: relying_party.map_err(|_| corrupt("a relying party that is no domain"))?,
        set_at: time_of(row.set_at)?,
        mac: KeyBytes::new(bytes_of(row.mac)?),
    };
    Ok(KnownPasskey { record: record_of(row.record)?, passkey })
}
