//! What changed, who had sessions, who was mailed: for whom `response` asks after a breach.

use accounts_api::Changes;
use cofferdam_core::{CallerName, Record, Timestamp};
use cofferdam_store::StoreError;
use roaring::RoaringBitmap;
use sqlx::Row;

use super::{Store, Tx, customers};

/// Changes read at once.
const PAGE: i64 = 1_000;
/// Customers in them, at most about so many.
const CUSTOMERS: usize = 10_000;

impl Store {
    /// Keeps that customers changed; `records` ascend.
    pub async fn insert_change(
        tx: &mut Tx,
        records: &[Record],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if records.is_empty() {
            return Ok(());
        }
        sqlx::query("INSERT INTO changes (at, records) VALUES ($1, $2)")
            .bind(now.as_millisecond())
            .bind(gaps(records))
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// What changed after change `after`.
    pub async fn changes(&self, after: u64) -> Result<Changes, StoreError> {
        let (oldest, newest): (Option<i64>, Option<i64>) =
            sqlx::query_as("SELECT MIN(seq), MAX(seq) FROM changes")
                .fetch_one(self.db.reader())
                .await?;
        let [oldest, newest] = [oldest, newest].map(|seq| seq.unwrap_or(0).unsigned_abs());
        let rows: Vec<(i64, Vec<u8>)> =
            sqlx::query_as("SELECT seq, records FROM changes WHERE seq > $1 ORDER BY seq LIMIT $2")
                .bind(i64::try_from(after).unwrap_or(i64::MAX))
                .bind(PAGE)
                .fetch_all(self.db.reader())
                .await?;
        let (mut last, mut taken, mut changed) = (after, 0, RoaringBitmap::new());
        for (seq, records) in &rows {
            if changed.len() >= CUSTOMERS as u64 {
                break;
            }
            changed.extend(from_gaps(records)?);
            last = seq.unsigned_abs();
            taken += 1;
        }
        let more = taken < rows.len() || i64::try_from(rows.len()).is_ok_and(|n| n == PAGE);
        let wanted: Vec<Record> = changed.iter().map(Record).collect();
        let rows = self.coarse_of_records(&wanted).await?;
        for row in &rows {
            changed.remove(row.record.0);
        }
        let gone = changed.iter().map(Record).collect();
        Ok(Changes { last, newest, more, forgotten: oldest > after + 1, rows, gone })
    }

    /// Keeps that a customer is mailed a reset code.
    pub async fn insert_mailed(&self, record: Record, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO mailed (record, at) VALUES ($1, $2)")
            .bind(i64::from(record.0))
            .bind(now.as_millisecond())
            .execute(self.db.writer())
            .await?;
        Ok(())
    }

    /// Who was mailed a reset code from `from` to `to`.
    pub async fn mailed(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<RoaringBitmap, StoreError> {
        let rows: Vec<(i64,)> =
            sqlx::query_as("SELECT record FROM mailed WHERE at >= $1 AND at <= $2")
                .bind(from.as_millisecond())
                .bind(to.as_millisecond())
                .fetch_all(self.db.reader())
                .await?;
        Ok(rows.into_iter().filter_map(|(record,)| u32::try_from(record).ok()).collect())
    }

    /// Who opened a session at `caller` (anywhere, for `None`) from `from` to `to`, and who had
    /// one from before that was still good.
    pub async fn sessions_seen(
        &self,
        caller: Option<&CallerName>,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<[RoaringBitmap; 2], StoreError> {
        const LIST: &str = "SELECT record, opened FROM sessions WHERE ($1 = '' OR caller = $1) \
             AND opened <= $3 AND expires >= $2 AND (ended IS NULL OR ended >= $2)";
        let rows = sqlx::query(LIST)
            .bind(caller.map_or("", CallerName::as_str))
            .bind(from.as_millisecond())
            .bind(to.as_millisecond())
            .fetch_all(self.db.reader())
            .await?;
        let [mut opened, mut held] = [RoaringBitmap::new(), RoaringBitmap::new()];
        for row in rows {
            let record = customers::record(&row, 0)?;
            let within = row.try_get::<i64, _>(1)? >= from.as_millisecond();
            if within { &mut opened } else { &mut held }.insert(record.0);
        }
        Ok([opened, held])
    }
}

/// Ascending numbers as differences, seven bits a byte.
fn gaps(records: &[Record]) -> Vec<u8> {
    let mut out = Vec::with_capacity(records.len() + 4);
    let mut before = 0;
    for record in records {
        let mut gap = record.0.wrapping_sub(before);
        before = record.0;
        while gap >= 0x80 {
            out.push(u8::try_from(gap & 0x7f).unwrap_or(0) | 0x80);
            gap >>= 7;
        }
        out.push(u8::try_from(gap).unwrap_or(0));
    }
    out
}

fn from_gaps(bytes: &[u8]) -> Result<Vec<u32>, StoreError> {
    let corrupt = || StoreError::Corrupt("a change that names no records".into());
    let (mut out, mut at, mut gap, mut shift) = (Vec::new(), 0_u32, 0_u32, 0_u32);
    for byte in bytes {
        let bits = u32::from(byte & 0x7f);
        gap |=
            bits.checked_shl(shift).filter(|moved| moved >> shift == bits).ok_or_else(corrupt)?;
        shift += 7;
        if byte & 0x80 == 0 {
            at = at.checked_add(gap).ok_or_else(corrupt)?;
            out.push(at);
            (gap, shift) = (0, 0);
        }
    }
    if shift == 0 { Ok(out) } else { Err(corrupt()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_read_back(mut numbers: Vec<u32>) {
            numbers.sort_unstable();
            let records: Vec<_> = numbers.iter().copied().map(Record).collect();
            prop_assert_eq!(from_gaps(&gaps(&records)).unwrap(), numbers);
        }

        #[test]
        fn foreign_bytes_never_panic(bytes: Vec<u8>) {
            let _ = from_gaps(&bytes);
        }
    }
}
