//! Mail providers that rest: the same for every worker, and after a restart.

use std::collections::BTreeMap;

use cofferdam_core::Timestamp;
use cofferdam_store::StoreError;
use response_api::LetterId;
use sqlx::Row;

use super::{Store, ms, number};

impl Store {
    /// Notes that a provider gets none of a letter. The first reason stays.
    pub async fn pause_provider(
        &self,
        letter: LetterId,
        provider: u16,
        why: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO provider_pause (letter, provider, why, at_ms) VALUES ($1, $2, $3, $4)
             ON CONFLICT (letter, provider) DO NOTHING",
        )
        .bind(i64::from(letter.0))
        .bind(i64::from(provider))
        .bind(why.to_owned())
        .bind(ms(at))
        .execute(self.db.writer())
        .await?;
        Ok(())
    }

    /// A provider gets letters again.
    pub async fn resume_provider(&self, letter: LetterId, provider: u16) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM provider_pause WHERE letter = $1 AND provider = $2")
            .bind(i64::from(letter.0))
            .bind(i64::from(provider))
            .execute(self.db.writer())
            .await?;
        Ok(())
    }

    /// Providers that rest, and why.
    pub async fn provider_pauses(
        &self,
        letter: LetterId,
    ) -> Result<BTreeMap<u16, String>, StoreError> {
        let rows = sqlx::query("SELECT provider, why FROM provider_pause WHERE letter = $1")
            .bind(i64::from(letter.0))
            .fetch_all(self.db.reader())
            .await?;
        rows.iter().map(|row| Ok((number(row.try_get(0)?)?, row.try_get(1)?))).collect()
    }
}
