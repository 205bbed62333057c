//! The revoked keys of certificates, as a compartment knows them while `keys` does not answer. Every
//! compartment that follows the list of `keys` has the table `revoked_key` for them.

use cofferdam_core::Sha256;

use crate::{Db, StoreError};

impl Db {
    /// Every revoked key that is known here.
    pub async fn revoked_keys(&self) -> Result<Vec<Sha256>, StoreError> {
        let keys: Vec<String> = sqlx::query_scalar("SELECT key_sha256 FROM revoked_key")
            .fetch_all(self.reader())
            .await?;
        let keys = keys.iter().map(|key| key.parse()).collect::<Result<_, _>>();
        keys.map_err(|e| StoreError::Corrupt(format!("revoked key: {e}")))
    }

    /// Keeps revoked keys. Some may be kept already.
    pub async fn keep_revoked(&self, keys: &[Sha256]) -> Result<(), StoreError> {
        const INSERT: &str = "INSERT INTO revoked_key (key_sha256) VALUES ($1) \
             ON CONFLICT (key_sha256) DO NOTHING";
        for key in keys {
            sqlx::query(INSERT).bind(key.to_string()).execute(self.writer()).await?;
        }
        Ok(())
    }
}
