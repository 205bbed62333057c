//! The orders of `response`: one row each, whatever the number of customers.

use accounts_api::VoidOutcome;
use cofferdam_core::{CallerName, Record, Timestamp};
use cofferdam_store::StoreError;
use roaring::RoaringBitmap;
use sqlx::FromRow;

use super::{Store, bitmap_bytes, bitmap_of, caller_of, time_of};
use crate::domain::alone::Ordered;
use crate::domain::orders::Orders;

/// The number of an order that shuts customers out is its place: 1, 2, 3 and so on.
pub type OrderNumber = u64;

/// An order over everybody that two people signed, or one who broke the glass.
#[derive(Debug)]
pub struct OverEverybody<'a> {
    /// The number of the incident.
    pub incident: u32,
    /// SHA-256 of what was signed.
    pub signed: &'a [u8],
    /// Credentials that were set up to this instant are void.
    pub set_before: Timestamp,
    /// The instant of the order, up to which opened sessions are over.
    pub ordered_at: Timestamp,
}

/// An order over some customers, whose sessions end as well.
#[derive(Debug)]
pub struct OverSome<'a> {
    /// The number of the incident.
    pub incident: u32,
    /// The customers.
    pub records: &'a RoaringBitmap,
    /// The customers and sessions that the order takes from the limit of one person.
    pub counted: &'a Ordered,
    /// Credentials that were set up to this instant are void.
    pub set_before: Timestamp,
    /// The instant of the order.
    pub ordered_at: Timestamp,
}

/// The orders so far that a new one over some customers depends on.
#[derive(Debug, Default)]
pub struct History {
    /// The number of the last order; 0 before the first.
    pub last: OrderNumber,
    /// The last order of the incident; 0 if there is none.
    pub last_of_incident: OrderNumber,
    /// The instants of the incident's orders, and the customers of each; `None` for everybody.
    pub of_incident: Vec<(Timestamp, Option<RoaringBitmap>)>,
    /// The orders of fewer than two people, over all incidents, within the last day.
    pub alone: Ordered,
}

impl History {
    /// Whether the password of `record`, set at `set_at`, was set since an order of the incident
    /// covered the customer.
    #[must_use]
    pub fn is_set_since(&self, record: Record, set_at: Timestamp) -> bool {
        self.of_incident.iter().any(|(ordered_at, records)| {
            *ordered_at < set_at && records.as_ref().is_none_or(|of| of.contains(record.0))
        })
    }
}

#[derive(FromRow)]
struct OrderRow {
    id: i64,
    incident: i64,
    ordered_at: i64,
    records: Option<Vec<u8>>,
    shut_out: Option<Vec<u8>>,
    sessions: i64,
}

#[derive(FromRow)]
struct SignedRow {
    id: i64,
    outcome: Option<String>,
}

#[derive(FromRow)]
struct SetRow {
    set_before: i64,
    records: Vec<u8>,
}

impl Store {
    /// The number of the last order that shuts customers out; 0 before the first.
    pub async fn last_order(&self) -> Result<OrderNumber, StoreError> {
        let last: Option<i64> = sqlx::query_scalar("SELECT MAX(id) FROM void_orders")
            .fetch_one(self.db.reader())
            .await?;
        Ok(last.unwrap_or(0).unsigned_abs())
    }

    /// Stores an order over everybody as the one after `last`; `None` if another instance was
    /// faster.
    pub async fn insert_over_everybody(
        &self,
        order: &OverEverybody<'_>,
        last: OrderNumber,
    ) -> Result<Option<OrderNumber>, StoreError> {
        const VOID: &str = "INSERT INTO void_orders (id, incident, set_before, ordered_at, signed) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
        const REVOKE: &str = "INSERT INTO revoke_orders (id, incident, opened_before, ordered_at) \
             SELECT COALESCE(MAX(id), 0) + 1, $1, $2, $2 FROM revoke_orders";
        let (number, at) = (last + 1, order.ordered_at.as_millisecond());
        let mut tx = self.begin().await?;
        let added = sqlx::query(VOID)
            .bind(number.cast_signed())
            .bind(i64::from(order.incident))
            .bind(order.set_before.as_millisecond())
            .bind(at)
            .bind(order.signed)
            .execute(&mut *tx)
            .await?;
        if added.rows_affected() == 0 {
            return Ok(None);
        }
        sqlx::query(REVOKE).bind(i64::from(order.incident)).bind(at).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(Some(number))
    }

    /// Stores an order over some customers as the one after `last`; `None` if another instance was
    /// faster.
    pub async fn insert_over_some(
        &self,
        order: &OverSome<'_>,
        last: OrderNumber,
    ) -> Result<Option<OrderNumber>, StoreError> {
        const INSERT: &str = "INSERT INTO void_orders \
             (id, incident, set_before, ordered_at, records, shut_out, sessions) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
        let number = last + 1;
        let added = sqlx::query(INSERT)
            .bind(number.cast_signed())
            .bind(i64::from(order.incident))
            .bind(order.set_before.as_millisecond())
            .bind(order.ordered_at.as_millisecond())
            .bind(bitmap_bytes(order.records)?)
            .bind(bitmap_bytes(&order.counted.customers)?)
            .bind(order.counted.sessions.cast_signed())
            .execute(self.db.writer())
            .await?;
        Ok(Some(number).filter(|_| added.rows_affected() == 1))
    }

    /// Reads what a new order of `incident` over some customers depends on. Orders of fewer than
    /// two people count from `since` on.
    pub async fn history(&self, incident: u32, since: Timestamp) -> Result<History, StoreError> {
        let rows: Vec<OrderRow> = sqlx::query_as(
            "SELECT id, incident, ordered_at, records, shut_out, sessions FROM void_orders \
             ORDER BY id",
        )
        .fetch_all(self.db.reader())
        .await?;
        let mut history = History::default();
        for row in rows {
            let of_incident = row.incident == i64::from(incident);
            history.last = row.id.unsigned_abs();
            if of_incident {
                history.last_of_incident = history.last;
            }
            let records = row.records.map(|bytes| bitmap_of(&bytes)).transpose()?;
            if let Some(records) = &records
                && row.ordered_at > since.as_millisecond()
            {
                // An order from before the limit was added up counts for all whom it names.
                let shut_out = row.shut_out.map(|bytes| bitmap_of(&bytes)).transpose()?;
                history.alone.customers |= shut_out.as_ref().unwrap_or(records);
                history.alone.sessions += row.sessions.unsigned_abs();
            }
            if of_incident {
                history.of_incident.push((time_of(row.ordered_at)?, records));
            }
        }
        Ok(history)
    }

    /// Finds the order over everybody with this SHA-256, and what it did, if that was counted.
    pub async fn signed_order(
        &self,
        signed: &[u8],
    ) -> Result<Option<(OrderNumber, Option<VoidOutcome>)>, StoreError> {
        let row: Option<SignedRow> =
            sqlx::query_as("SELECT id, outcome FROM void_orders WHERE signed = $1")
                .bind(signed)
                .fetch_optional(self.db.reader())
                .await?;
        let Some(row) = row else { return Ok(None) };
        let outcome = row.outcome.map(|json| serde_json::from_str(&json)).transpose();
        let outcome = outcome.map_err(|e| StoreError::Corrupt(format!("an outcome: {e}")))?;
        Ok(Some((row.id.unsigned_abs(), outcome)))
    }

    /// Keeps what an order did.
    pub async fn set_outcome(&self, outcome: &VoidOutcome) -> Result<(), StoreError> {
        let json = serde_json::to_string(outcome)
            .map_err(|e| StoreError::Corrupt(format!("an outcome: {e}")))?;
        sqlx::query("UPDATE void_orders SET outcome = $1 WHERE id = $2")
            .bind(json)
            .bind(outcome.order.cast_signed())
            .execute(self.db.writer())
            .await?;
        Ok(())
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
