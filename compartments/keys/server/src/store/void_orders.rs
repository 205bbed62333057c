//! The void orders, and how many passwords each lets its customers set outside the budget.

use cofferdam_core::Timestamp;
use cofferdam_store::{Db, StoreError};
use roaring::RoaringBitmap;
use sqlx::FromRow;

use crate::domain::voids::{Void, VoidId, Voids, Whose};

/// A void order that becomes known.
pub struct NewVoid<'a> {
    /// The order's identity.
    pub id: VoidId,
    /// Credentials that were set up to this instant are void.
    pub set_before: Timestamp,
    /// Sessions that were opened up to this instant are over.
    pub opened_before: Timestamp,
    /// The instant at which `keys` learnt of it.
    pub known_at: Timestamp,
    /// The customers; `None` for a set that is not named yet.
    pub whose: Option<&'a Whose>,
    /// How many passwords may be set outside the budget because of it.
    pub raised: u64,
}

#[derive(FromRow)]
struct VoidRow {
    id: String,
    set_before: i64,
    opened_before: i64,
    everybody: i64,
    records: Option<Vec<u8>>,
}

/// Every void order.
pub async fn void_orders(db: &Db) -> Result<Voids, StoreError> {
    const ALL: &str = "SELECT id, set_before, opened_before, everybody, records FROM void_order";
    let rows: Vec<VoidRow> = sqlx::query_as(ALL).fetch_all(db.reader()).await?;
    Ok(Voids::new(rows.into_iter().map(void).collect::<Result<_, _>>()?))
}

/// Notes a void order. Of an order that is known, the instant and the raised number stay as they are, and
/// the customers are added. Returns whether anything changed.
pub async fn note_void(db: &Db, void: &NewVoid<'_>) -> Result<bool, StoreError> {
    const NOTE: &str = "INSERT INTO void_order \
         (id, set_before, opened_before, known_at, everybody, records, raised, used) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, 0) \
         ON CONFLICT (id) DO UPDATE SET records = excluded.records \
         WHERE void_order.records IS NULL AND excluded.records IS NOT NULL";
    let records = match void.whose {
        Some(Whose::Some(records)) => Some(serialized(records)?),
        Some(Whose::Everybody) | None => None,
    };
    let mut change = db.begin_shared_change().await?;
    let noted = sqlx::query(NOTE)
        .bind(void.id.to_string())
        .bind(void.set_before.as_millisecond())
        .bind(void.opened_before.as_millisecond())
        .bind(void.known_at.as_millisecond())
        .bind(i64::from(void.whose == Some(&Whose::Everybody)))
        .bind(records)
        .bind(void.raised.cast_signed())
        .execute(&mut *change.tx)
        .await?;
    if noted.rows_affected() == 0 {
        return Ok(false);
    }
    change.commit().await?;
    Ok(true)
}

/// Counts the orders over some that became known after an instant.
pub async fn orders_over_some(db: &Db, since: Timestamp) -> Result<u64, StoreError> {
    const COUNT: &str = "SELECT COUNT(*) FROM void_order WHERE everybody = 0 AND known_at > $1";
    let orders: i64 =
        sqlx::query_scalar(COUNT).bind(since.as_millisecond()).fetch_one(db.reader()).await?;
    Ok(orders.cast_unsigned())
}

/// Takes one of the passwords that an order allows outside the budget; `false` if none is left.
pub async fn use_raised(db: &Db, id: VoidId) -> Result<bool, StoreError> {
    let used = sqlx::query("UPDATE void_order SET used = used + 1 WHERE id = $1 AND used < raised")
        .bind(id.to_string())
        .execute(db.writer())
        .await?;
    Ok(used.rows_affected() == 1)
}

/// The instant from which `keys` sets the time of every password. The first start with this version notes
/// it, and `now` is the instant of the present start.
pub async fn passwords_bound_since(db: &Db, now: Timestamp) -> Result<Timestamp, StoreError> {
    const BEGIN: &str = "INSERT INTO passwords_bound (since) \
         SELECT $1 WHERE NOT EXISTS (SELECT 1 FROM passwords_bound)";
    sqlx::query(BEGIN).bind(now.as_millisecond()).execute(db.writer()).await?;
    let since: i64 =
        sqlx::query_scalar("SELECT MIN(since) FROM passwords_bound").fetch_one(db.writer()).await?;
    instant(since)
}

fn void(row: VoidRow) -> Result<Void, StoreError> {
    let corrupt = |what: &str| StoreError::Corrupt(format!("a void order: {what}"));
    let records = match (row.everybody, row.records) {
        (1, _) => Whose::Everybody,
        (_, None) => Whose::Some(RoaringBitmap::new()),
        (_, Some(bytes)) => Whose::Some(
            RoaringBitmap::deserialize_from(bytes.as_slice())
                .map_err(|e| corrupt(&e.to_string()))?,
        ),
    };
    Ok(Void {
        id: row.id.parse().map_err(|_| corrupt("its identity is no SHA-256"))?,
        set_before: instant(row.set_before)?,
        opened_before: instant(row.opened_before)?,
        whose: records,
    })
}

fn instant(ms: i64) -> Result<Timestamp, StoreError> {
    let outside = |_| StoreError::Corrupt("an instant outside the calendar".into());
    Timestamp::from_millisecond(ms).map_err(outside)
}

fn serialized(records: &RoaringBitmap) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::with_capacity(records.serialized_size());
    records.serialize_into(&mut bytes).map_err(|e| StoreError::Corrupt(e.to_string()))?;
    Ok(bytes)
}
