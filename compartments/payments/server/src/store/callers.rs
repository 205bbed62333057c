//! Frozen callers.

use std::collections::BTreeSet;

use cofferdam_core::{CallerName, Timestamp};
use cofferdam_store::StoreError;

use super::Store;

impl Store {
    /// Reads the callers that are frozen.
    pub async fn frozen_callers(&self) -> Result<BTreeSet<CallerName>, StoreError> {
        let names: Vec<String> = sqlx::query_scalar("SELECT caller FROM frozen_callers")
            .fetch_all(self.db.reader())
            .await?;
        let names = names.iter().map(|name| name.parse()).collect::<Result<_, _>>();
        names.map_err(|e| StoreError::Corrupt(format!("frozen caller: {e}")))
    }

    /// Stores that a caller is frozen, or deletes that.
    pub async fn set_frozen(
        &self,
        caller: &CallerName,
        frozen: bool,
        reason: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const FREEZE: &str = "INSERT INTO frozen_callers (caller, reason, since) \
             VALUES ($1, $2, $3) ON CONFLICT (caller) DO NOTHING";
        const THAW: &str = "DELETE FROM frozen_callers WHERE caller = $1";
        let query = if frozen {
            sqlx::query(FREEZE).bind(caller.as_str()).bind(reason).bind(now.as_millisecond())
        } else {
            sqlx::query(THAW).bind(caller.as_str())
        };
        query.execute(self.db.writer()).await?;
        Ok(())
    }
}
