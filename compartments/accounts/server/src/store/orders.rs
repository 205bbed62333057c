//! The orders of `response`: one row each, whatever the number of customers.

use cofferdam_core::{CallerName, Timestamp};
use cofferdam_store::StoreError;
use roaring::RoaringBitmap;
use sqlx::FromRow;

use super::{Store, bitmap_bytes, bitmap_of, caller_of, time_of};
use crate::domain::orders::Orders;

/// The kind of an order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum OrderKind<'a> {
    /// Voids the credentials of some customers and ends their sessions; for `None`, voids the
    /// credentials of everybody.
    Void(Option<&'a RoaringBitmap>),
    /// Ends the sessions of everybody.
    Revoke,
}

#[derive(FromRow)]
struct SetRow {
    set_before: i64,
    records: Vec<u8>,
}

impl Store {
    /// Stores an order and returns its number.
    pub async fn insert_order(
        &self,
        kind: OrderKind<'_>,
        incident: u32,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        const VOID: &str = "INSERT INTO void_orders (id, incident, set_before, ordered_at, records) \
             SELECT COALESCE(MAX(id), 0) + 1, $1, $2, $3, $4 FROM void_orders RETURNING id";
        const REVOKE: &str = "INSERT INTO revoke_orders (id, incident, opened_before, ordered_at) \
             SELECT COALESCE(MAX(id), 0) + 1, $1, $2, $3 FROM revoke_orders RETURNING id";
        let insert = match kind {
            OrderKind::Void(_) => VOID,
            OrderKind::Revoke => REVOKE,
        };
        let mut query = sqlx::query_scalar(insert)
            .bind(i64::from(incident))
            .bind(until.as_millisecond())
            .bind(now.as_millisecond());
        if let OrderKind::Void(records) = kind {
            query = query.bind(records.map(bitmap_bytes).transpose()?);
        }
        let id: i64 = query.fetch_one(self.db.writer()).await?;
        Ok(id.unsigned_abs())
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

    /// Reads the orders that are in force.
    pub async fn orders(&self) -> Result<Orders, StoreError> {
        const VOID: &str = "SELECT MAX(set_before) FROM void_orders WHERE records IS NULL";
        const REVOKE: &str = "SELECT MAX(opened_before) FROM revoke_orders";
        let mut orders = Orders::default();
        for caller in self.frozen_callers().await? {
            orders.freeze(caller, true);
        }
        if let Some(until) = self.latest(VOID).await? {
            orders.void(until);
        }
        if let Some(until) = self.latest(REVOKE).await? {
            orders.revoke(until);
        }
        let sets: Vec<SetRow> = sqlx::query_as(
            "SELECT set_before, records FROM void_orders WHERE records IS NOT NULL ORDER BY id",
        )
        .fetch_all(self.db.reader())
        .await?;
        for set in sets {
            orders.void_some(time_of(set.set_before)?, bitmap_of(&set.records)?);
        }
        Ok(orders)
    }

    async fn latest(&self, query: &'static str) -> Result<Option<Timestamp>, StoreError> {
        let at: Option<i64> = sqlx::query_scalar(query).fetch_one(self.db.reader()).await?;
        at.map(time_of).transpose()
    }

    async fn frozen_callers(&self) -> Result<Vec<CallerName>, StoreError> {
        let names: Vec<String> = sqlx::query_scalar("SELECT caller FROM frozen_callers")
            .fetch_all(self.db.reader())
            .await?;
        names.iter().map(|name| caller_of(name)).collect()
    }
}
