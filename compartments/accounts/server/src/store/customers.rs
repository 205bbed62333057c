//! Customers: sealed texts, and coarse attributes in clear.

use accounts_api::{Coarse, CoarseRow};
use cofferdam_core::{Epoch, Field, FieldSet, Record, Timestamp};
use cofferdam_store::StoreError;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};

use super::{Credential, EmailIndex, Store, Tx, addresses, credentials, record_of, rows};
use crate::domain::profile::SEALED;

/// A customer, sealed and ready to be written.
#[derive(Debug)]
pub struct NewCustomer {
    /// Who.
    pub record: Record,
    /// The generation of the keys that sealed the texts.
    pub epoch: Epoch,
    /// Coarse attributes, in clear.
    pub coarse: Coarse,
    /// The look-up index of the address.
    pub email_index: EmailIndex,
    /// The sealed texts, in the order of [`SEALED`].
    pub sealed: [Option<Vec<u8>>; SEALED.len()],
    /// The password.
    pub credential: Credential,
}

/// What is kept of a customer's texts.
#[derive(Debug)]
pub struct SealedCustomer {
    /// Who.
    pub record: Record,
    /// The generation of the keys that sealed the texts.
    pub epoch: Epoch,
    /// The sealed texts, in the order of [`SEALED`].
    pub sealed: [Option<Vec<u8>>; SEALED.len()],
}

impl SealedCustomer {
    /// Which fields the customer has filled.
    #[must_use]
    pub fn filled(&self) -> FieldSet {
        SEALED.iter().zip(&self.sealed).filter(|(_, s)| s.is_some()).map(|(f, _)| *f).collect()
    }

    /// The filled texts with their fields, in the order of [`SEALED`].
    pub fn texts_mut(&mut self) -> impl Iterator<Item = (Field, &mut Vec<u8>)> {
        let each = SEALED.into_iter().zip(&mut self.sealed);
        each.filter_map(|(field, sealed)| Some((field, sealed.as_mut()?)))
    }

    /// The sealed text of a field.
    #[must_use]
    pub fn sealed(&self, field: Field) -> Option<&[u8]> {
        let place = SEALED.iter().position(|f| *f == field)?;
        self.sealed[place].as_deref()
    }
}

impl Store {
    /// Writes customers with their addresses and credentials; call it with ascending records, so
    /// that the order on disk says nothing either.
    pub async fn insert_customers(
        &self,
        tx: &mut Tx,
        customers: &[NewCustomer],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let records: Vec<_> = customers.iter().map(|c| c.record).collect();
        Self::insert_change(tx, &records, now).await?;
        let head = "INSERT INTO customers (record, epoch, country, region, language, minor, \
                    name, email, phone, billing_address, shipping_address, card_last4)";
        rows::insert(tx, head, 12, customers, |q, c| {
            let q = q
                .bind(i64::from(c.record.0))
                .bind(i64::from(c.epoch.0))
                .bind(c.coarse.country.as_ref().map(|c| c.as_str().to_owned()))
                .bind(c.coarse.region.as_ref().map(|r| r.as_str().to_owned()))
                .bind(c.coarse.language.as_str())
                .bind(i64::from(c.coarse.minor));
            c.sealed.iter().fold(q, |q, sealed| q.bind(sealed.clone()))
        })
        .await?;
        addresses::insert(tx, customers).await?;
        credentials::insert(tx, customers).await
    }

    /// Those of `records` that exist, ascending.
    pub async fn sealed_customers(
        &self,
        records: &[Record],
    ) -> Result<Vec<SealedCustomer>, StoreError> {
        let mut found = Vec::with_capacity(records.len());
        for chunk in records.chunks(1_000) {
            let head = "SELECT record, epoch, name, email, phone, billing_address, \
                        shipping_address, card_last4 FROM customers WHERE record";
            let Some((sql, keys)) = rows::look_up(head, chunk) else { continue };
            let query = keys.iter().fold(sqlx::query(sql), |q, r| q.bind(i64::from(r.0)));
            for row in query.fetch_all(self.db.reader()).await? {
                found.push(sealed_of(&row)?);
            }
        }
        found.sort_unstable_by_key(|c| c.record);
        Ok(found)
    }

    /// Up to `limit` customers from `from` on that are sealed under an epoch before `epoch`,
    /// ascending.
    pub async fn sealed_before(
        &self,
        from: Record,
        epoch: Epoch,
        limit: u32,
    ) -> Result<Vec<SealedCustomer>, StoreError> {
        const LIST: &str = "SELECT record, epoch, name, email, phone, billing_address, \
             shipping_address, card_last4 FROM customers \
             WHERE record >= $1 AND epoch < $2 ORDER BY record LIMIT $3";
        let rows = sqlx::query(LIST)
            .bind(i64::from(from.0))
            .bind(i64::from(epoch.0))
            .bind(i64::from(limit))
            .fetch_all(self.db.reader())
            .await?;
        rows.iter().map(sealed_of).collect()
    }

    /// Replaces the sealed texts of customers whose epoch is still what it was, in one
    /// transaction.
    pub async fn replace_sealed(
        &self,
        customers: Vec<(Epoch, SealedCustomer)>,
        epoch: Epoch,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let head = "WITH new (record, was, name, email, phone, billing_address, \
                    shipping_address, card_last4) AS";
        let tail = format!(
            "UPDATE customers SET epoch = {}, name = new.name, email = new.email, \
             phone = new.phone, billing_address = new.billing_address, \
             shipping_address = new.shipping_address, card_last4 = new.card_last4 \
             FROM new WHERE customers.record = new.record AND customers.epoch = new.was",
            epoch.0
        );
        rows::write(&mut tx, head, &tail, 8, &customers, |q, (was, c)| {
            let q = q.bind(i64::from(c.record.0)).bind(i64::from(was.0));
            c.sealed.iter().fold(q, |q, sealed| q.bind(sealed.as_deref()))
        })
        .await?;
        Ok(tx.commit().await?)
    }

    /// Deletes everything about a customer.
    pub async fn erase_customer(&self, record: Record, now: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        Self::insert_change(&mut tx, &[record], now).await?;
        for statement in [
            "DELETE FROM resets WHERE record = $1",
            "DELETE FROM sessions WHERE record = $1",
            "DELETE FROM credentials WHERE record = $1",
            "DELETE FROM addresses WHERE record = $1",
            "DELETE FROM customers WHERE record = $1",
        ] {
            sqlx::query(statement).bind(i64::from(record.0)).execute(&mut *tx).await?;
        }
        Ok(tx.commit().await?)
    }

    /// The highest record number of a customer; 0 without any.
    pub async fn highest_record(&self) -> Result<u32, StoreError> {
        let (highest,): (Option<i64>,) =
            sqlx::query_as("SELECT MAX(record) FROM customers").fetch_one(self.db.reader()).await?;
        Ok(highest.map(record_of).transpose()?.map_or(0, |record| record.0))
    }

    /// Coarse attributes of up to `limit` customers from `from` on, ascending.
    pub async fn coarse(&self, from: Record, limit: u32) -> Result<Vec<CoarseRow>, StoreError> {
        let list = format!("{COARSE} >= $1 ORDER BY record LIMIT $2");
        let rows = sqlx::query(AssertSqlSafe(list))
            .bind(i64::from(from.0))
            .bind(i64::from(limit))
            .fetch_all(self.db.reader())
            .await?;
        rows.iter().map(coarse_of).collect()
    }

    /// Coarse attributes of those of `records` that exist, ascending.
    pub async fn coarse_of_records(
        &self,
        records: &[Record],
    ) -> Result<Vec<CoarseRow>, StoreError> {
        let mut found = Vec::with_capacity(records.len());
        for chunk in records.chunks(1_000) {
            let Some((sql, keys)) = rows::look_up(COARSE, chunk) else { continue };
            let query = keys.iter().fold(sqlx::query(sql), |q, r| q.bind(i64::from(r.0)));
            for row in query.fetch_all(self.db.reader()).await? {
                found.push(coarse_of(&row)?);
            }
        }
        found.sort_unstable_by_key(|row| row.record);
        Ok(found)
    }
}

/// What is kept in clear; the numbers are the fields' bits: name and e-mail address are always
/// there.
const COARSE: &str = "SELECT record, country, region, language, minor, CAST(3 \
    + CASE WHEN phone IS NULL THEN 0 ELSE 4 END \
    + CASE WHEN billing_address IS NULL THEN 0 ELSE 8 END \
    + CASE WHEN shipping_address IS NULL THEN 0 ELSE 16 END \
    + CASE WHEN card_last4 IS NULL THEN 0 ELSE 32 END AS BIGINT) \
    FROM customers WHERE record";

/// The record number in a column.
pub fn record(row: &AnyRow, column: usize) -> Result<Record, StoreError> {
    record_of(row.try_get(column)?)
}

fn sealed_of(row: &AnyRow) -> Result<SealedCustomer, StoreError> {
    let mut sealed: [Option<Vec<u8>>; SEALED.len()] = Default::default();
    for (i, place) in sealed.iter_mut().enumerate() {
        *place = row.try_get(i + 2)?;
    }
    let epoch = u16::try_from(row.try_get::<i64, _>(1)?)
        .map_err(|_| StoreError::Corrupt("an epoch past 16 bits".into()))?;
    Ok(SealedCustomer { record: record_of(row.try_get(0)?)?, epoch: Epoch(epoch), sealed })
}

fn coarse_of(row: &AnyRow) -> Result<CoarseRow, StoreError> {
    let corrupt = || StoreError::Corrupt("a coarse attribute that is no code".into());
    let code = |column| row.try_get::<Option<String>, _>(column);
    let filled = u16::try_from(row.try_get::<i64, _>(5)?).ok().and_then(FieldSet::from_bits);
    Ok(CoarseRow {
        record: record_of(row.try_get(0)?)?,
        coarse: Coarse {
            country: code(1)?.map(|c| c.parse()).transpose().map_err(|_| corrupt())?,
            region: code(2)?.map(|r| r.parse()).transpose().map_err(|_| corrupt())?,
            language: row.try_get::<String, _>(3)?.parse().map_err(|_| corrupt())?,
            minor: row.try_get::<i64, _>(4)? != 0,
        },
        filled: filled.ok_or_else(corrupt)?,
    })
}
