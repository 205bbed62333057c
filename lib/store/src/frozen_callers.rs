//! The callers that are frozen. Every compartment that app servers call has the table
//! `frozen_callers` for them.

use std::collections::BTreeSet;

use cofferdam_core::{CallerName, FreezeCaller, Timestamp};

use crate::{Db, Generation, StoreError};

impl Db {
    /// The callers that are frozen.
    pub async fn frozen_callers(&self) -> Result<BTreeSet<CallerName>, StoreError> {
        let names: Vec<String> = sqlx::query_scalar("SELECT caller FROM frozen_callers")
            .fetch_all(self.reader())
            .await?;
        let names = names.iter().map(|name| name.parse()).collect::<Result<_, _>>();
        names.map_err(|e| StoreError::Corrupt(format!("frozen caller: {e}")))
    }

    /// Stores that a caller is frozen.
    pub async fn freeze_caller(
        &self,
        order: &FreezeCaller,
        now: Timestamp,
    ) -> Result<Generation, StoreError> {
        const FREEZE: &str = "INSERT INTO frozen_callers (caller, reason, since) \
             VALUES ($1, $2, $3) ON CONFLICT (caller) DO NOTHING";
        let mut change = self.begin_shared_change().await?;
        sqlx::query(FREEZE)
            .bind(order.caller.as_str())
            .bind(order.reason.as_str())
            .bind(now.as_millisecond())
            .execute(&mut *change.tx)
            .await?;
        change.commit().await
    }

    /// Stores that a caller is not frozen; `None`, without a change, if an order came since the
    /// generation `seen`. It may have frozen the caller.
    pub async fn thaw_caller(
        &self,
        caller: &CallerName,
        seen: Generation,
    ) -> Result<Option<Generation>, StoreError> {
        let Some(mut change) = self.begin_shared_change_after(seen).await? else { return Ok(None) };
        sqlx::query("DELETE FROM frozen_callers WHERE caller = $1")
            .bind(caller.as_str())
            .execute(&mut *change.tx)
            .await?;
        Ok(Some(change.commit().await?))
    }
}
