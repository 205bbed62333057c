//! The changes of customers, and the customers who were mailed a reset code. `response` asks for
//! both after a breach.

use accounts_api::Changes;
use cofferdam_core::{Record, Timestamp};
use cofferdam_store::{Backend, StoreError};
use roaring::RoaringBitmap;
use sqlx::FromRow;

use super::{Store, Tx, record_of};

/// The number of changes that are read at once.
const PAGE: i64 = 1_000;
/// The number of customers at which a page ends, with the change that reaches it.
const CUSTOMERS: u64 = 10_000;

#[derive(FromRow)]
struct Kept {
    oldest: Option<i64>,
    newest: Option<i64>,
}

#[derive(FromRow)]
struct ChangeRow {
    seq: i64,
    records: Vec<u8>,
}

impl Store {
    /// Notes that customers changed; `records` ascend.
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

    /// Reads the customers that changed after change `after`.
    pub async fn changes(&self, after: u64) -> Result<Changes, StoreError> {
        const LIST: &str = "SELECT seq, records FROM changes \
             WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3";
        let Kept { oldest, newest } = self.changes_kept().await?;
        let page: Vec<ChangeRow> = sqlx::query_as(LIST)
            .bind(i64::try_from(after).unwrap_or(i64::MAX))
            .bind(newest)
            .bind(PAGE)
            .fetch_all(self.db.reader())
            .await?;
        let [oldest, newest] = [oldest, newest].map(|seq| seq.unwrap_or(0).unsigned_abs());
        let (mut last, mut taken, mut changed) = (after, 0, RoaringBitmap::new());
        for change in &page {
            if changed.len() >= CUSTOMERS {
                break;
            }
            changed.extend(from_gaps(&change.records)?);
            last = change.seq.unsigned_abs();
            taken += 1;
        }
        let more = taken < page.len() || i64::try_from(page.len()).is_ok_and(|n| n == PAGE);
        let wanted: Vec<Record> = changed.iter().map(Record).collect();
        let rows = self.coarse_of_records(&wanted).await?;
        for row in &rows {
            changed.remove(row.record.0);
        }
        let gone = changed.iter().map(Record).collect();
        Ok(Changes { last, newest, more, forgotten: oldest > after + 1, rows, gone })
    }

    /// The first and the last change that are kept. No change up to the last one is under way any more:
    /// a later change may be committed before an earlier one, and `response` asks for no change twice.
    async fn changes_kept(&self) -> Result<Kept, StoreError> {
        const KEPT: &str = "SELECT MIN(seq) AS oldest, MAX(seq) AS newest FROM changes";
        if self.db.backend() == Backend::Sqlite {
            // One change is written after the other.
            return Ok(sqlx::query_as(KEPT).fetch_one(self.db.reader()).await?);
        }
        let mut tx = self.db.begin().await?;
        for statement in [
            // Changes wait for this lock as well, so it does not wait for long.
            "SET LOCAL lock_timeout = '1s'",
            "LOCK TABLE changes IN SHARE MODE",
        ] {
            sqlx::query(statement).execute(&mut *tx).await?;
        }
        let kept = sqlx::query_as(KEPT).fetch_one(&mut *tx).await?;
        tx.commit().await?;
        Ok(kept)
    }

    /// Notes that a customer gets a reset code by mail.
    pub async fn insert_mailed(&self, record: Record, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO mailed (record, at) VALUES ($1, $2)")
            .bind(i64::from(record.0))
            .bind(now.as_millisecond())
            .execute(self.db.writer())
            .await?;
        Ok(())
    }

    /// Reads the customers who were mailed a reset code from `from` to `to`.
    pub async fn mailed(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<RoaringBitmap, StoreError> {
        let records: Vec<i64> =
            sqlx::query_scalar("SELECT record FROM mailed WHERE at >= $1 AND at <= $2")
                .bind(from.as_millisecond())
                .bind(to.as_millisecond())
                .fetch_all(self.db.reader())
                .await?;
        records.into_iter().map(|record| Ok(record_of(record)?.0)).collect()
    }
}

/// Encodes ascending numbers as the differences between them, seven bits a byte. The top bit says
/// that more bytes follow.
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

/// Decodes the numbers that [`gaps`] encoded.
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
