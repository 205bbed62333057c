//! Verifiers and look-up indexes of customers, as they rest under the compartment's half.

use std::collections::BTreeSet;

use cofferdam_core::{Epoch, Record};
use cofferdam_store::{StoreError, epoch_of};
use keys_client::AtRest;
use sqlx::AssertSqlSafe;

use super::{Store, record_of, rows};

/// A verifier or an index that moves to another half.
#[derive(Debug)]
pub struct MovedAtRest {
    /// The record of the customer whose verifier or index it is.
    pub record: Record,
    /// The bytes as they were read.
    pub old: AtRest,
    /// The same under the new half.
    pub new: AtRest,
}

impl Store {
    /// The verifiers of customers.
    pub async fn verifiers_of(
        &self,
        records: &[Record],
    ) -> Result<Vec<(Record, AtRest)>, StoreError> {
        self.resting("SELECT record, verifier, half FROM credentials WHERE record", records).await
    }

    /// The look-up indexes of customers.
    pub async fn indexes_of(
        &self,
        records: &[Record],
    ) -> Result<Vec<(Record, AtRest)>, StoreError> {
        self.resting("SELECT record, email_index, half FROM addresses WHERE record", records).await
    }

    async fn resting(
        &self,
        head: &str,
        records: &[Record],
    ) -> Result<Vec<(Record, AtRest)>, StoreError> {
        let mut found = Vec::with_capacity(records.len());
        for chunk in records.chunks(1_000) {
            let Some((sql, keys)) = rows::look_up(head, chunk) else { continue };
            let query = keys.iter().fold(sqlx::query_as(sql), |q, of| q.bind(i64::from(of.0)));
            let rows: Vec<(i64, Vec<u8>, Option<i64>)> = query.fetch_all(self.db.reader()).await?;
            for (record, bytes, half) in rows {
                let half = half.map(epoch_of).transpose()?;
                found.push((record_of(record)?, AtRest { half, bytes }));
            }
        }
        Ok(found)
    }

    /// Reads up to `limit` customers whose verifier or index rests elsewhere than under a half.
    pub async fn resting_elsewhere(
        &self,
        half: Epoch,
        limit: u32,
    ) -> Result<Vec<Record>, StoreError> {
        let mut found = BTreeSet::new();
        for table in ["credentials", "addresses"] {
            let text =
                format!("SELECT record FROM {table} WHERE half IS NULL OR half <> $1 LIMIT $2");
            let records: Vec<i64> = sqlx::query_scalar(AssertSqlSafe(text))
                .bind(i64::from(half.0))
                .bind(i64::from(limit))
                .fetch_all(self.db.reader())
                .await?;
            for record in records {
                found.insert(record_of(record)?);
            }
        }
        Ok(found.into_iter().collect())
    }
}

/// The half of bytes at rest, as its column holds it.
pub(super) fn half_number(at_rest: &AtRest) -> Option<i64> {
    at_rest.half.map(|from| i64::from(from.0))
}
