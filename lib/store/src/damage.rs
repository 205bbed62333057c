//! The search for damage in a database.

use std::convert::Infallible;
use std::time::Duration;

use crate::{Backend, Db, StoreError};

/// The time between two searches for damage.
const SEARCH_EVERY: Duration = Duration::from_hours(24);

impl Db {
    /// Searches the database for damage, at once if the process before this one did not close it, and
    /// each day. Hands every finding to `report`. Runs for as long as it is polled.
    pub async fn watch_for_damage<F: Future<Output = ()>>(
        &self,
        mut report: impl FnMut(Option<String>) -> F,
    ) -> Infallible {
        if !self.left_open {
            tokio::time::sleep(SEARCH_EVERY).await;
        }
        loop {
            match self.find_damage().await {
                Ok(damage) => report(damage).await,
                Err(e) => tracing::warn!(cause = %e, "the database was not searched for damage"),
            }
            tokio::time::sleep(SEARCH_EVERY).await;
        }
    }

    /// Searches the database for damage: damaged pages, and indexes that disagree with their table.
    /// Returns the first fault. It reads the whole file, so it takes minutes on a large one. Of
    /// PostgreSQL, the server itself takes care.
    pub async fn find_damage(&self) -> Result<Option<String>, StoreError> {
        if self.backend == Backend::Postgres {
            return Ok(None);
        }
        let verdict: Result<String, _> =
            sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&self.readers).await;
        match verdict {
            Ok(verdict) => Ok(Some(verdict).filter(|verdict| verdict != "ok")),
            // Some damage ends the check itself.
            Err(sqlx::Error::Database(e)) => Ok(Some(e.to_string())),
            Err(e) => Err(e.into()),
        }
    }
}
