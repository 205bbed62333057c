//! Revoked keys of certificates.

use cofferdam_core::Sha256;
use cofferdam_store::StoreError;
use keys_client::KeepRevoked;

use super::Store;

impl Store {
    /// Every revoked key that is known here.
    pub async fn revoked_keys(&self) -> Result<Vec<Sha256>, StoreError> {
        let keys: Vec<String> = sqlx::query_scalar("SELECT key_sha256 FROM revoked_key")
            .fetch_all(self.db.reader())
            .await?;
        let keys = keys.iter().map(|key| key.parse()).collect::<Result<_, _>>();
        keys.map_err(|e| StoreError::Corrupt(format!("revoked key: {e}")))
    }
}

impl KeepRevoked for Store {
    type Error = StoreError;

    async fn keep_revoked(&self, keys: &[Sha256]) -> Result<(), StoreError> {
        const INSERT: &str = "INSERT INTO revoked_key (key_sha256) VALUES ($1) \
             ON CONFLICT (key_sha256) DO NOTHING";
        for key in keys {
            sqlx::query(INSERT).bind(key.to_string()).execute(self.db.writer()).await?;
        }
        Ok(())
    }
}
