//! The callers that are frozen. Every compartment that app servers call has the table
//! `frozen_callers` for them, and the table `unheld_freeze` for the freezes that `keys` may not know.

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

    /// Stores that a caller is frozen. Until `keys` is known to hold it for the incident, nobody thaws it.
    pub async fn freeze_caller(
        &self,
        order: &FreezeCaller,
        now: Timestamp,
    ) -> Result<Generation, StoreError> {
        const FREEZE: &str = "INSERT INTO frozen_callers (caller, reason, since) \
             VALUES ($1, $2, $3) ON CONFLICT (caller) DO NOTHING";
        const UNHELD: &str = "INSERT INTO unheld_freeze (caller, incident) VALUES ($1, $2) \
             ON CONFLICT (caller, incident) DO NOTHING";
        let mut change = self.begin_shared_change().await?;
        if let Some(incident) = order.incident {
            let unheld = sqlx::query(UNHELD).bind(order.caller.as_str()).bind(i64::from(incident));
            unheld.execute(&mut *change.tx).await?;
        }
        sqlx::query(FREEZE)
            .bind(order.caller.as_str())
            .bind(order.reason.as_str())
            .bind(now.as_millisecond())
            .execute(&mut *change.tx)
            .await?;
        change.commit().await
    }

    /// The freezes of which nobody has seen that `keys` holds them: the caller and the incident of each.
    pub async fn unheld_freezes(&self) -> Result<Vec<(CallerName, u32)>, StoreError> {
        let rows: Vec<(String, i64)> =
            sqlx::query_as("SELECT caller, incident FROM unheld_freeze ORDER BY caller, incident")
                .fetch_all(self.reader())
                .await?;
        let corrupt = |e: &dyn std::error::Error| StoreError::Corrupt(format!("a freeze: {e}"));
        let read = |(caller, incident): (String, i64)| {
            let caller = caller.parse().map_err(|e| corrupt(&e))?;
            Ok((caller, u32::try_from(incident).map_err(|e| corrupt(&e))?))
        };
        rows.into_iter().map(read).collect()
    }

    /// Notes that `keys` holds a caller for an incident. Notes nothing if an order came since the
    /// generation `seen`: it may have frozen the caller again.
    pub async fn note_held(
        &self,
        caller: &CallerName,
        incident: u32,
        seen: Generation,
    ) -> Result<bool, StoreError> {
        const HELD: &str = "DELETE FROM unheld_freeze WHERE caller = $1 AND incident = $2";
        let Some(mut change) = self.begin_shared_change_after(seen).await? else {
            return Ok(false);
        };
        let held = sqlx::query(HELD).bind(caller.as_str()).bind(i64::from(incident));
        held.execute(&mut *change.tx).await?;
        change.commit().await?;
        Ok(true)
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
