//! Sets of records, kept as Roaring bitmaps of 65,536 numbers each.

use std::collections::BTreeMap;

use cofferdam_core::Record;
use cofferdam_store::{Db, StoreError};
use roaring::RoaringBitmap;
use sqlx::{Any, Row, Transaction};

use super::changed;

/// A set's rows: the high 16 bits of the numbers, and a bitmap of the low.
type Chunks = BTreeMap<u16, RoaringBitmap>;

/// Reads a whole set.
pub async fn records_of(db: &Db, name: &str) -> Result<RoaringBitmap, StoreError> {
    let rows = sqlx::query("SELECT chunk, bits FROM record_set WHERE name = $1")
        .bind(name.to_owned())
        .fetch_all(db.reader())
        .await?;
    let mut all = RoaringBitmap::new();
    for row in rows {
        let chunk = u32::try_from(row.try_get::<i64, _>(0)?).unwrap_or_default() << 16;
        all.extend(bitmap(row.try_get::<Vec<u8>, _>(1)?.as_slice())?.iter().map(|low| chunk | low));
    }
    Ok(all)
}

/// Adds records to a set, in a transaction of its own.
pub async fn add_records(db: &Db, name: &str, records: &[Record]) -> Result<(), StoreError> {
    let mut tx = db.begin().await?;
    // First: it takes the row that makes such changes wait for each other. Each reads what stands
    // there and writes it back with its own.
    changed(&mut tx).await?;
    add(&mut tx, name, records).await?;
    tx.commit().await?;
    Ok(())
}

/// Adds records to a set; how many are new in it.
pub async fn add(
    tx: &mut Transaction<'static, Any>,
    name: &str,
    records: &[Record],
) -> Result<u64, StoreError> {
    let mut new = 0;
    for (high, lows) in chunked(records) {
        let mut bits = chunk(tx, name, high).await?.unwrap_or_default();
        let before = bits.len();
        bits |= lows;
        new += bits.len() - before;
        let mut bytes = Vec::with_capacity(bits.serialized_size());
        bits.serialize_into(&mut bytes)
            .map_err(|e| StoreError::Corrupt(format!("record set: {e}")))?;
        sqlx::query(
            "INSERT INTO record_set (name, chunk, bits) VALUES ($1, $2, $3)
             ON CONFLICT (name, chunk) DO UPDATE SET bits = excluded.bits",
        )
        .bind(name.to_owned())
        .bind(i64::from(high))
        .bind(bytes)
        .execute(&mut **tx)
        .await?;
    }
    Ok(new)
}

/// How many records are in a set.
pub async fn count(tx: &mut Transaction<'static, Any>, name: &str) -> Result<u64, StoreError> {
    let rows = sqlx::query("SELECT bits FROM record_set WHERE name = $1")
        .bind(name.to_owned())
        .fetch_all(&mut **tx)
        .await?;
    rows.iter().map(|row| Ok(bitmap(&row.try_get::<Vec<u8>, _>(0)?)?.len())).sum()
}

fn chunked(records: &[Record]) -> Chunks {
    let mut chunks = Chunks::new();
    for record in records {
        let high = u16::try_from(record.0 >> 16).unwrap_or(u16::MAX);
        chunks.entry(high).or_default().insert(record.0 & 0xffff);
    }
    chunks
}

async fn chunk(
    tx: &mut Transaction<'static, Any>,
    name: &str,
    high: u16,
) -> Result<Option<RoaringBitmap>, StoreError> {
    let row = sqlx::query("SELECT bits FROM record_set WHERE name = $1 AND chunk = $2")
        .bind(name.to_owned())
        .bind(i64::from(high))
        .fetch_optional(&mut **tx)
        .await?;
    row.map(|row| bitmap(row.try_get::<Vec<u8>, _>(0)?.as_slice())).transpose()
}

fn bitmap(bytes: &[u8]) -> Result<RoaringBitmap, StoreError> {
    RoaringBitmap::deserialize_from(bytes)
        .map_err(|e| StoreError::Corrupt(format!("record set: {e}")))
}
