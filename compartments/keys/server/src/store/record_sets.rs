//! Sets of records, kept as Roaring bitmaps of 65,536 numbers a row: sealed and erased records, and
//! those drawn under a warrant.

use std::collections::BTreeMap;

use cofferdam_core::Domain;
use cofferdam_store::{Db, StoreError};
use roaring::RoaringBitmap;
use sqlx::FromRow;

use super::Tx;

#[derive(FromRow)]
struct ChunkRow {
    /// The high 16 bits of the numbers.
    chunk: i64,
    /// A bitmap of the low 16 bits.
    bits: Vec<u8>,
}

/// The name of a domain's set of erased records.
fn erased_set(domain: Domain) -> String {
    format!("erased/{domain}")
}

/// The name of the set of a domain's records that were sealed through the instance with a log. Each
/// instance has its own, so that none waits for another.
fn sealed_set(domain: Domain, log: &str) -> String {
    format!("sealed/{domain}/{log}")
}

/// The erased records of a domain.
pub async fn erased_records(db: &Db, domain: Domain) -> Result<RoaringBitmap, StoreError> {
    records_in(db, &erased_set(domain)).await
}

/// The records of a domain that were sealed through any instance.
pub async fn sealed_records(db: &Db, domain: Domain) -> Result<RoaringBitmap, StoreError> {
    records_in(db, &sealed_set(domain, "%")).await
}

/// Notes that records of a domain were sealed through the instance with a log, known by its origin.
pub async fn note_sealed(
    db: &Db,
    domain: Domain,
    log: &str,
    records: &RoaringBitmap,
) -> Result<(), StoreError> {
    add_own(db, &sealed_set(domain, log), records).await
}

/// Whether the sealed records of a log, known by its origin, are in the sets.
pub async fn knows_sealed(db: &Db, log: &str) -> Result<bool, StoreError> {
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM record_set WHERE name = $1")
        .bind(known_log(log))
        .fetch_one(db.reader())
        .await?;
    Ok(rows > 0)
}

/// Notes that the sealed records of a log are in the sets.
pub async fn note_log_of_sealed(db: &Db, log: &str) -> Result<(), StoreError> {
    add_own(db, &known_log(log), &RoaringBitmap::from([0])).await
}

/// The name of the set that is there if the sealed records of a log are known.
fn known_log(log: &str) -> String {
    format!("sealed by/{log}")
}

/// Adds records to a set that no other instance changes.
async fn add_own(db: &Db, name: &str, records: &RoaringBitmap) -> Result<(), StoreError> {
    let mut tx = db.begin().await?;
    add(&mut tx, name, records).await?;
    tx.commit().await?;
    Ok(())
}

/// The records of all sets whose name has a form of SQL's `LIKE`.
async fn records_in(db: &Db, name: &str) -> Result<RoaringBitmap, StoreError> {
    let rows: Vec<ChunkRow> =
        sqlx::query_as("SELECT chunk, bits FROM record_set WHERE name LIKE $1")
            .bind(name.to_owned())
            .fetch_all(db.reader())
            .await?;
    let mut all = RoaringBitmap::new();
    for ChunkRow { chunk, bits } in rows {
        let chunk = u32::try_from(chunk).unwrap_or_default() << 16;
        let lows = bitmap(&bits)?;
        let mut ranges = lows.iter();
        // Sealed records are dense: a chunk is a few ranges.
        while let Some(range) = ranges.next_range() {
            all.insert_range(chunk | range.start()..=chunk | range.end());
        }
    }
    Ok(all)
}

/// Erases records of a domain.
pub async fn erase_records(
    db: &Db,
    domain: Domain,
    records: &RoaringBitmap,
) -> Result<(), StoreError> {
    add_to_set(db, &erased_set(domain), records).await
}

/// Adds records to a set, in a transaction of its own. Such changes wait for each other: each reads the
/// set and writes it back with its own records.
pub async fn add_to_set(db: &Db, name: &str, records: &RoaringBitmap) -> Result<(), StoreError> {
    let mut change = db.begin_shared_change().await?;
    add(&mut change.tx, name, records).await?;
    change.commit().await?;
    Ok(())
}

/// Adds records to a set, and returns the number that are new in it.
pub async fn add(tx: &mut Tx, name: &str, records: &RoaringBitmap) -> Result<u64, StoreError> {
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

/// Counts the records in a set.
pub async fn count(tx: &mut Tx, name: &str) -> Result<u64, StoreError> {
    let rows: Vec<Vec<u8>> = sqlx::query_scalar("SELECT bits FROM record_set WHERE name = $1")
        .bind(name.to_owned())
        .fetch_all(&mut **tx)
        .await?;
    rows.iter().map(|bits| Ok(bitmap(bits)?.len())).sum()
}

/// The high 16 bits of the numbers, each with a bitmap of the low 16 bits.
fn chunked(records: &RoaringBitmap) -> BTreeMap<u16, RoaringBitmap> {
    let mut chunks: BTreeMap<u16, RoaringBitmap> = BTreeMap::new();
    let mut ranges = records.iter();
    while let Some(range) = ranges.next_range() {
        let (first, last) = range.into_inner();
        for high in first >> 16..=last >> 16 {
            let low = |record: u32, end| if record >> 16 == high { record & 0xffff } else { end };
            let chunk = chunks.entry(u16::try_from(high).unwrap_or(u16::MAX)).or_default();
            chunk.insert_range(low(first, 0)..=low(last, 0xffff));
        }
    }
    chunks
}

async fn chunk(tx: &mut Tx, name: &str, high: u16) -> Result<Option<RoaringBitmap>, StoreError> {
    let bits: Option<Vec<u8>> =
        sqlx::query_scalar("SELECT bits FROM record_set WHERE name = $1 AND chunk = $2")
            .bind(name.to_owned())
            .bind(i64::from(high))
            .fetch_optional(&mut **tx)
            .await?;
    bits.map(|bits| bitmap(&bits)).transpose()
}

fn bitmap(bytes: &[u8]) -> Result<RoaringBitmap, StoreError> {
    RoaringBitmap::deserialize_from(bytes)
        .map_err(|e| StoreError::Corrupt(format!("record set: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_at_the_ends_of_chunks() {
        let mut records = RoaringBitmap::from([3, 0x1_0000, u32::MAX]);
        records.insert_range(0xfffe..=0x2_0001);
        let chunks = chunked(&records);
        let lengths: Vec<_> = chunks.iter().map(|(high, lows)| (*high, lows.len())).collect();
        assert_eq!(lengths, [(0, 3), (1, 0x1_0000), (2, 2), (0xffff, 1)]);
        let whole = chunks
            .iter()
            .flat_map(|(high, lows)| lows.iter().map(move |low| u32::from(*high) << 16 | low));
        assert_eq!(whole.collect::<RoaringBitmap>(), records);
    }
}
