//! Customers: sealed texts, and coarse attributes in clear.

use std::collections::{BTreeMap, BTreeSet};

use accounts_api::{Coarse, CoarseRow};
use cofferdam_core::{Epoch, Field, FieldSet, Record, Timestamp};
use cofferdam_store::{Backend, StoreError, epoch_of};
use keys_client::{AtRest, HalfSpan};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, FromRow, Row};

use super::resting::MovedAtRest;
use super::rows::Statement;
use super::{Credential, Store, Tx, addresses, credentials, record_of, rows};
use crate::domain::profile::SEALED;

/// A customer, sealed and ready to be written.
#[derive(Debug)]
pub struct NewCustomer {
    /// The customer's number.
    pub record: Record,
    /// The epoch of the keys under which the texts are sealed.
    pub epoch: Epoch,
    /// The attributes that are kept in clear.
    pub coarse: Coarse,
    /// The look-up index of the address, under the compartment's half.
    pub email_index: AtRest,
    /// The sealed texts, by field.
    pub sealed: BTreeMap<Field, Vec<u8>>,
    /// The verifier of the first password, with its scheme and salt.
    pub credential: Credential,
}

/// The sealed texts of a customer.
#[derive(Debug)]
pub struct SealedCustomer {
    /// The customer's number.
    pub record: Record,
    /// The epoch of the keys under which the texts are sealed.
    pub epoch: Epoch,
    /// The sealed texts, by field.
    pub sealed: BTreeMap<Field, Vec<u8>>,
}

/// Customers who move to another epoch, each with the epoch from which, and what moves to another half
/// with them.
#[derive(Debug, Default)]
pub struct MovedCustomers {
    /// The sealed texts.
    pub customers: Vec<(Epoch, SealedCustomer)>,
    /// The verifiers; none if the epochs have the same half.
    pub verifiers: Vec<MovedAtRest>,
    /// The look-up indexes; none if the epochs have the same half.
    pub indexes: Vec<MovedAtRest>,
}

impl SealedCustomer {
    /// The fields that the customer has filled.
    #[must_use]
    pub fn filled(&self) -> FieldSet {
        self.sealed.keys().copied().collect()
    }
}

impl Store {
    /// Writes customers with their addresses and credentials. The records ascend, so that the order
    /// on disk does not tell decoys from customers.
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
        rows::insert(tx, head, 12, customers, |query, customer| {
            let NewCustomer { record, epoch, coarse, sealed, .. } = customer;
            let query = query
                .bind(i64::from(record.0))
                .bind(i64::from(epoch.0))
                .bind(coarse.country.as_ref().map(|code| code.as_str().to_owned()))
                .bind(coarse.region.as_ref().map(|code| code.as_str().to_owned()))
                .bind(coarse.language.as_str())
                .bind(i64::from(coarse.minor));
            bind_texts(query, sealed)
        })
        .await?;
        addresses::insert(tx, customers).await?;
        credentials::insert(tx, customers).await
    }

    /// The sealed texts of those of `records` that exist, ascending.
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

    /// The highest epoch under which a customer is sealed.
    pub async fn sealed_upto(&self) -> Result<Option<Epoch>, StoreError> {
        let highest: Option<i64> = sqlx::query_scalar("SELECT MAX(epoch) FROM customers")
            .fetch_one(self.db.reader())
            .await?;
        highest.map(epoch_of).transpose()
    }

    /// Whether anything rests under a half: texts of its epochs, verifiers or indexes.
    pub async fn holds_under(&self, span: HalfSpan) -> Result<bool, StoreError> {
        const HOLDS: &str = "SELECT CAST(EXISTS (SELECT 1 FROM customers \
             WHERE epoch >= $1 AND epoch < $2) \
             OR EXISTS (SELECT 1 FROM credentials WHERE half = $1) \
             OR EXISTS (SELECT 1 FROM addresses WHERE half = $1) AS INTEGER)";
        let holds: i32 = sqlx::query_scalar(HOLDS)
            .bind(i64::from(span.from.0))
            .bind(i64::from(span.until.0))
            .fetch_one(self.db.reader())
            .await?;
        Ok(holds != 0)
    }

    /// Reads up to `limit` customers from `from` on that are sealed under an epoch before `epoch`,
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

    /// Moves customers to `epoch`, in one transaction. Texts, verifiers and indexes that changed since
    /// they were read stay unchanged.
    pub async fn move_customers(
        &self,
        moved: MovedCustomers,
        epoch: Epoch,
    ) -> Result<(), StoreError> {
        let MovedCustomers { customers, verifiers, indexes } = moved;
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
        rows::write(&mut tx, head, &tail, 8, &customers, |query, (was, customer)| {
            let query = query.bind(i64::from(customer.record.0)).bind(i64::from(was.0));
            bind_texts(query, &customer.sealed)
        })
        .await?;
        let resting = verifiers.iter().chain(&indexes).map(|of| of.record);
        let held = self.lock_customers(&mut tx, resting.collect()).await?;
        let there = |record: &Record| held.contains(record);
        let verifiers: Vec<_> = verifiers.iter().filter(|of| there(&of.record)).collect();
        let indexes: Vec<_> = indexes.iter().filter(|of| there(&of.record)).collect();
        credentials::move_all(&mut tx, &verifiers).await?;
        addresses::move_all(&mut tx, &indexes).await?;
        Ok(tx.commit().await?)
    }

    /// Those of the customers who are there, and who stay until the transaction ends: an erasure at the
    /// same time would miss a row that is replaced.
    pub(super) async fn lock_customers(
        &self,
        tx: &mut Tx,
        records: BTreeSet<Record>,
    ) -> Result<BTreeSet<Record>, StoreError> {
        let records: Vec<_> = records.into_iter().collect();
        let lock = match self.db.backend() {
            Backend::Sqlite => "",
            Backend::Postgres => " FOR UPDATE",
        };
        let mut held = BTreeSet::new();
        for chunk in records.chunks(1_000) {
            let head = "SELECT record FROM customers WHERE record";
            let Some((sql, keys)) = rows::look_up_and(head, lock, chunk) else { continue };
            let query = keys.iter().fold(sqlx::query_scalar(sql), |q, r| q.bind(i64::from(r.0)));
            let rows: Vec<i64> = query.fetch_all(&mut **tx).await?;
            for record in rows {
                held.insert(record_of(record)?);
            }
        }
        Ok(held)
    }

    /// The number behind the last record number of a customer; 0 if there is none.
    pub async fn numbers_held(&self) -> Result<u32, StoreError> {
        let next: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(record) + 1, 0) FROM customers")
            .fetch_one(self.db.reader())
            .await?;
        Ok(record_of(next)?.0)
    }

    /// Whether there is a customer with this number.
    pub async fn holds(&self, record: Record) -> Result<bool, StoreError> {
        let found: Option<i64> =
            sqlx::query_scalar("SELECT record FROM customers WHERE record = $1")
                .bind(i64::from(record.0))
                .fetch_optional(self.db.reader())
                .await?;
        Ok(found.is_some())
    }

    /// Deletes everything about a customer.
    pub async fn erase_customer(&self, record: Record, now: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        Self::insert_change(&mut tx, &[record], now).await?;
        for statement in [
            // The customer first: a move of the same customer to another half holds this row.
            "DELETE FROM customers WHERE record = $1",
            "DELETE FROM resets WHERE record = $1",
            "DELETE FROM sessions WHERE record = $1",
            "DELETE FROM credentials WHERE record = $1",
            "DELETE FROM passkeys WHERE record = $1",
            "DELETE FROM addresses WHERE record = $1",
        ] {
            sqlx::query(statement).bind(i64::from(record.0)).execute(&mut *tx).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Coarse attributes of up to `limit` customers from `from` on, ascending.
    pub async fn coarse(&self, from: Record, limit: u32) -> Result<Vec<CoarseRow>, StoreError> {
        let list = format!("{COARSE} >= $1 ORDER BY record LIMIT $2");
        let rows: Vec<CustomerRow> = sqlx::query_as(AssertSqlSafe(list))
            .bind(i64::from(from.0))
            .bind(i64::from(limit))
            .fetch_all(self.db.reader())
            .await?;
        rows.into_iter().map(coarse_of).collect()
    }

    /// Coarse attributes of those of `records` that exist, ascending.
    pub async fn coarse_of_records(
        &self,
        records: &[Record],
    ) -> Result<Vec<CoarseRow>, StoreError> {
        let mut found = Vec::with_capacity(records.len());
        for chunk in records.chunks(1_000) {
            let Some((sql, keys)) = rows::look_up(COARSE, chunk) else { continue };
            let query = keys.iter().fold(sqlx::query_as(sql), |q, r| q.bind(i64::from(r.0)));
            for row in query.fetch_all(self.db.reader()).await? {
                found.push(coarse_of(row)?);
            }
        }
        found.sort_unstable_by_key(|row| row.record);
        Ok(found)
    }
}

/// The attributes that are kept in clear. `filled` has the bits of the filled fields; name and
/// e-mail address are never empty.
const COARSE: &str = "SELECT record, country, region, language, minor, CAST(3 \
    + CASE WHEN phone IS NULL THEN 0 ELSE 4 END \
    + CASE WHEN billing_address IS NULL THEN 0 ELSE 8 END \
    + CASE WHEN shipping_address IS NULL THEN 0 ELSE 16 END \
    + CASE WHEN card_last4 IS NULL THEN 0 ELSE 32 END AS BIGINT) AS filled \
    FROM customers WHERE record";

#[derive(FromRow)]
struct CustomerRow {
    record: i64,
    country: Option<String>,
    region: Option<String>,
    language: String,
    minor: i64,
    filled: i64,
}

fn coarse_of(row: CustomerRow) -> Result<CoarseRow, StoreError> {
    let corrupt = || StoreError::Corrupt("a coarse attribute that is no code".into());
    let CustomerRow { record, country, region, language, minor, filled } = row;
    let filled = u16::try_from(filled).ok().and_then(FieldSet::from_bits);
    Ok(CoarseRow {
        record: record_of(record)?,
        coarse: Coarse {
            country: country.map(|code| code.parse()).transpose().map_err(|_| corrupt())?,
            region: region.map(|code| code.parse()).transpose().map_err(|_| corrupt())?,
            language: language.parse().map_err(|_| corrupt())?,
            minor: minor != 0,
        },
        filled: filled.ok_or_else(corrupt)?,
    })
}

/// Binds the texts in the order of [`SEALED`], as the statements name them.
fn bind_texts<'q>(query: Statement<'q>, sealed: &'q BTreeMap<Field, Vec<u8>>) -> Statement<'q> {
    SEALED.iter().fold(query, |query, field| query.bind(sealed.get(field).map(Vec::as_slice)))
}

fn sealed_of(row: &AnyRow) -> Result<SealedCustomer, StoreError> {
    let mut sealed = BTreeMap::new();
    for field in SEALED {
        if let Some(text) = row.try_get(field.as_str())? {
            sealed.insert(field, text);
        }
    }
    let epoch = epoch_of(row.try_get("epoch")?)?;
    Ok(SealedCustomer { record: record_of(row.try_get("record")?)?, epoch, sealed })
}
