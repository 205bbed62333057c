//! The orders of `response`: one row each, whatever the number of customers.

use accounts_api::VoidOutcome;
use cofferdam_core::Timestamp;
use cofferdam_store::{Db, ReadInForce, SharedChange, StoreError};
use roaring::RoaringBitmap;
use sqlx::FromRow;

use super::{Store, bitmap_bytes, bitmap_of, time_of};
use crate::domain::alone::Ordered;
use crate::domain::orders::Orders;
use crate::domain::voiding::{History, OrderNumber, PastOrder};

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
    /// The source of the order.
    pub by: By<'a>,
    /// Credentials that were set up to this instant are void.
    pub set_before: Timestamp,
    /// The instant of the order.
    pub ordered_at: Timestamp,
}

/// The people who gave an order over some customers.
#[derive(Debug, Clone, Copy)]
pub enum By<'a> {
    /// One person, who takes so many customers and sessions from the limit.
    One(&'a Ordered),
    /// People who signed; the SHA-256 of what was signed.
    Signers(&'a [u8]),
}

/// An order over some whose customers `keys` may not know.
#[derive(Debug)]
pub struct Unnamed {
    /// The order's number.
    pub number: OrderNumber,
    /// The number of the incident.
    pub incident: u32,
    /// Passwords set up to the first instant are void, and sessions opened up to the second are over.
    pub instants: [Timestamp; 2],
    /// The customers, as a Roaring bitmap.
    pub roaring: Vec<u8>,
}

#[derive(FromRow)]
struct OrderRow {
    id: i64,
    incident: i64,
    ordered_at: i64,
    records: Option<Vec<u8>>,
    signed: Option<Vec<u8>>,
    shut_out: Option<Vec<u8>>,
    sessions: i64,
}

impl OrderRow {
    fn order(self) -> Result<PastOrder, StoreError> {
        let records = self.records.map(|bytes| bitmap_of(&bytes)).transpose()?;
        let shut_out = self.shut_out.map(|bytes| bitmap_of(&bytes)).transpose()?;
        // An order over some from before the limit was added up counts for all whom it names.
        let customers = shut_out.or_else(|| records.clone()).unwrap_or_default();
        let is_alone = records.is_some() && self.signed.is_none();
        let sessions = self.sessions.unsigned_abs();
        Ok(PastOrder {
            number: self.id.unsigned_abs(),
            incident: incident_of(self.incident)?,
            ordered_at: time_of(self.ordered_at)?,
            records,
            alone: is_alone.then_some(Ordered { customers, sessions }),
        })
    }
}

#[derive(FromRow)]
struct SignedRow {
    id: i64,
    outcome: Option<String>,
}

#[derive(FromRow)]
struct SetRow {
    id: i64,
    incident: i64,
    set_before: i64,
    ordered_at: i64,
    signed: Option<Vec<u8>>,
    records: Vec<u8>,
}

impl SetRow {
    /// The instants up to which passwords are void, and sessions over. A signed order ends every session
    /// that began before the order.
    fn instants(&self) -> Result<[Timestamp; 2], StoreError> {
        let set_before = time_of(self.set_before)?;
        let opened_before =
            if self.signed.is_some() { time_of(self.ordered_at)? } else { set_before };
        Ok([set_before, opened_before])
    }
}

fn incident_of(number: i64) -> Result<u32, StoreError> {
    u32::try_from(number).map_err(|e| StoreError::Corrupt(format!("the incident of an order: {e}")))
}

impl Store {
    /// The number of the last order that shuts customers out; 0 before the first.
    pub async fn last_order(&self) -> Result<OrderNumber, StoreError> {
        let last: Option<i64> = sqlx::query_scalar("SELECT MAX(id) FROM void_orders")
            .fetch_one(self.db.reader())
            .await?;
        Ok(last.unwrap_or(0).unsigned_abs())
    }

    /// Stores an order over everybody as the one after `last`; `None` if that is not the last one any
    /// more, or if the same order was stored.
    pub async fn insert_over_everybody(
        &self,
        change: &mut SharedChange,
        order: &OverEverybody<'_>,
        last: OrderNumber,
    ) -> Result<Option<OrderNumber>, StoreError> {
        const VOID: &str = "INSERT INTO void_orders (id, incident, set_before, ordered_at, signed) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
        const REVOKE: &str = "INSERT INTO revoke_orders (id, incident, opened_before, ordered_at) \
             SELECT COALESCE(MAX(id), 0) + 1, $1, $2, $2 FROM revoke_orders";
        let (number, at) = (last + 1, order.ordered_at.as_millisecond());
        let added = sqlx::query(VOID)
            .bind(number.cast_signed())
            .bind(i64::from(order.incident))
            .bind(order.set_before.as_millisecond())
            .bind(at)
            .bind(order.signed)
            .execute(&mut *change.tx)
            .await?;
        if added.rows_affected() == 0 {
            return Ok(None);
        }
        let revoke = sqlx::query(REVOKE).bind(i64::from(order.incident)).bind(at);
        revoke.execute(&mut *change.tx).await?;
        Ok(Some(number))
    }

    /// Stores an order over some customers as the one after `last`; `None` if that is not the last one
    /// any more, or if the same order was stored.
    pub async fn insert_over_some(
        &self,
        change: &mut SharedChange,
        order: &OverSome<'_>,
        last: OrderNumber,
    ) -> Result<Option<OrderNumber>, StoreError> {
        const INSERT: &str = "INSERT INTO void_orders \
             (id, incident, set_before, ordered_at, records, shut_out, sessions, signed) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
        let number = last + 1;
        let (shut_out, sessions, signed) = match order.by {
            By::One(Ordered { customers, sessions }) => {
                (Some(bitmap_bytes(customers)?), *sessions, None)
            }
            By::Signers(signed) => (None, 0, Some(signed)),
        };
        let added = sqlx::query(INSERT)
            .bind(number.cast_signed())
            .bind(i64::from(order.incident))
            .bind(order.set_before.as_millisecond())
            .bind(order.ordered_at.as_millisecond())
            .bind(bitmap_bytes(order.records)?)
            .bind(shut_out)
            .bind(sessions.cast_signed())
            .bind(signed)
            .execute(&mut *change.tx)
            .await?;
        Ok(Some(number).filter(|_| added.rows_affected() == 1))
    }

    /// Reads what a new order of `incident` at `now` over some customers depends on.
    pub async fn history(&self, incident: u32, now: Timestamp) -> Result<History, StoreError> {
        let rows: Vec<OrderRow> = sqlx::query_as(
            "SELECT id, incident, ordered_at, records, signed, shut_out, sessions \
             FROM void_orders ORDER BY id",
        )
        .fetch_all(self.db.reader())
        .await?;
        let orders = rows.into_iter().map(OrderRow::order).collect::<Result<Vec<_>, _>>()?;
        Ok(History::of(orders, incident, now))
    }

    /// Finds the signed order with this SHA-256, and what it did, if that was counted.
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

    /// Reads the orders that are in force.
    pub async fn orders(&self) -> Result<Orders, StoreError> {
        const VOID: &str = "SELECT MAX(set_before) FROM void_orders WHERE records IS NULL";
        const REVOKE: &str = "SELECT MAX(opened_before) FROM revoke_orders";
        let mut orders = Orders::default();
        if let Some(until) = self.latest(VOID).await? {
            orders.void(until);
        }
        if let Some(until) = self.latest(REVOKE).await? {
            orders.revoke(until);
        }
        let sets: Vec<SetRow> = sqlx::query_as(
            "SELECT id, incident, set_before, ordered_at, signed, records FROM void_orders \
             WHERE records IS NOT NULL ORDER BY id",
        )
        .fetch_all(self.db.reader())
        .await?;
        for set in sets {
            let [set_before, opened_before] = set.instants()?;
            orders.void_some(set_before, opened_before, bitmap_of(&set.records)?);
        }
        orders.frozen = self.db.frozen_callers().await?;
        Ok(orders)
    }

    /// The orders over some whose customers `keys` may not know, oldest first.
    pub async fn unnamed_orders(&self) -> Result<Vec<Unnamed>, StoreError> {
        let sets: Vec<SetRow> = sqlx::query_as(
            "SELECT id, incident, set_before, ordered_at, signed, records FROM void_orders \
             WHERE records IS NOT NULL AND noted = 0 ORDER BY id",
        )
        .fetch_all(self.db.reader())
        .await?;
        let unnamed = |set: SetRow| {
            Ok(Unnamed {
                number: set.id.unsigned_abs(),
                incident: incident_of(set.incident)?,
                instants: set.instants()?,
                roaring: set.records,
            })
        };
        sets.into_iter().map(unnamed).collect()
    }

    /// Notes that `keys` knows the customers of an order.
    pub async fn set_named(&self, number: OrderNumber) -> Result<(), StoreError> {
        sqlx::query("UPDATE void_orders SET noted = 1 WHERE id = $1")
            .bind(number.cast_signed())
            .execute(self.db.writer())
            .await?;
        Ok(())
    }

    async fn latest(&self, query: &'static str) -> Result<Option<Timestamp>, StoreError> {
        let at: Option<i64> = sqlx::query_scalar(query).fetch_one(self.db.reader()).await?;
        at.map(time_of).transpose()
    }
}

impl ReadInForce for Orders {
    type Context = ();

    async fn read(db: &Db, (): &()) -> Result<Self, StoreError> {
        Store { db: db.clone() }.orders().await
    }
}
