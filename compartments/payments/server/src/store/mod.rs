//! The tables: cards and frozen callers.

use cofferdam_core::{CallerName, Epoch, Field, FieldKey, OpenError, Personal, Record, SealedAs};
use cofferdam_store::{Db, Location, Migrations, StoreError};
use payments_api::Brand;
use sqlx::Row;

pub use crate::domain::TokenHash;

static SQLITE: sqlx::migrate::Migrator = sqlx::migrate!("./migrations/sqlite");
static POSTGRES: sqlx::migrate::Migrator = sqlx::migrate!("./migrations/postgres");

/// The open database.
#[derive(Debug, Clone)]
pub struct Store {
    db: Db,
}

/// A card as it is stored: three sealed fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardRow {
    /// Its number here.
    pub record: Record,
    /// The hash of its token.
    pub token: TokenHash,
    /// Whose network.
    pub brand: Brand,
    /// The epoch of its keys.
    pub epoch: Epoch,
    /// The sealed card number.
    pub number: Vec<u8>,
    /// The sealed date of expiry.
    pub expiry: Vec<u8>,
    /// The sealed last four digits.
    pub last4: Vec<u8>,
}

impl CardRow {
    /// Opens one of its sealed fields.
    pub fn open(&self, field: Field, key: &FieldKey, sealed: &[u8]) -> Result<Personal, OpenError> {
        SealedAs { record: self.record, field, epoch: self.epoch }.open(key, sealed)
    }
}

impl Store {
    /// Opens the database and brings its tables up to date.
    pub async fn open(location: &Location) -> Result<Self, StoreError> {
        let migrations = Migrations { sqlite: &SQLITE, postgres: &POSTGRES };
        Ok(Self { db: Db::open(location, migrations).await? })
    }

    /// The first record number that no card has.
    pub async fn next_record(&self) -> Result<u32, StoreError> {
        let row = sqlx::query("SELECT COALESCE(MAX(record), -1) + 1 FROM card")
            .fetch_one(self.db.reader())
            .await?;
        number(row.try_get(0)?)
    }

    /// Stores cards, all or none.
    pub async fn insert(&self, cards: &[CardRow]) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        for card in cards {
            sqlx::query(
                "INSERT INTO card (record, token_hash, brand, epoch, number, expiry, last4)
                 VALUES ($1, $2, $3, $4, $5, $6, $7)",
            )
            .bind(i64::from(card.record.0))
            .bind(card.token.as_bytes().to_vec())
            .bind(brand_name(card.brand))
            .bind(i64::from(card.epoch.0))
            .bind(card.number.clone())
            .bind(card.expiry.clone())
            .bind(card.last4.clone())
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// The card that a token stands for.
    pub async fn find(&self, token: &TokenHash) -> Result<Option<CardRow>, StoreError> {
        let row = sqlx::query(
            "SELECT record, brand, epoch, number, expiry, last4 FROM card WHERE token_hash = $1",
        )
        .bind(token.as_bytes().to_vec())
        .fetch_optional(self.db.reader())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let brand: String = row.try_get(1)?;
        Ok(Some(CardRow {
            record: Record(number(row.try_get(0)?)?),
            token: token.clone(),
            brand: brand_of(&brand)?,
            epoch: Epoch(number(row.try_get(2)?)?),
            number: row.try_get(3)?,
            expiry: row.try_get(4)?,
            last4: row.try_get(5)?,
        }))
    }

    /// How many cards there are.
    pub async fn count(&self) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT COUNT(*) FROM card").fetch_one(self.db.reader()).await?;
        Ok(row.try_get::<i64, _>(0)?.cast_unsigned())
    }

    /// Who is frozen.
    pub async fn frozen(&self) -> Result<Vec<CallerName>, StoreError> {
        let rows =
            sqlx::query("SELECT caller FROM frozen_caller").fetch_all(self.db.reader()).await?;
        rows.iter()
            .map(|row| {
                let name: String = row.try_get(0)?;
                name.parse().map_err(|e| StoreError::Corrupt(format!("frozen caller: {e}")))
            })
            .collect()
    }

    /// Freezes or thaws a caller.
    pub async fn set_frozen(&self, caller: &CallerName, frozen: bool) -> Result<(), StoreError> {
        let statement = if frozen {
            "INSERT INTO frozen_caller (caller) VALUES ($1) ON CONFLICT (caller) DO NOTHING"
        } else {
            "DELETE FROM frozen_caller WHERE caller = $1"
        };
        sqlx::query(statement).bind(caller.as_str().to_owned()).execute(self.db.writer()).await?;
        Ok(())
    }
}

fn number<T: TryFrom<i64>>(stored: i64) -> Result<T, StoreError> {
    T::try_from(stored).map_err(|_| StoreError::Corrupt(format!("card: number {stored}")))
}

const BRANDS: [(Brand, &str); 7] = [
    (Brand::Visa, "visa"),
    (Brand::Mastercard, "mastercard"),
    (Brand::Amex, "amex"),
    (Brand::Discover, "discover"),
    (Brand::Jcb, "jcb"),
    (Brand::Diners, "diners"),
    (Brand::Other, "other"),
];

fn brand_name(brand: Brand) -> &'static str {
    BRANDS.iter().find(|(b, _)| *b == brand).map_or("other", |(_, name)| name)
}

fn brand_of(name: &str) -> Result<Brand, StoreError> {
    let found = BRANDS.iter().find(|(_, n)| *n == name).map(|(brand, _)| *brand);
    found.ok_or_else(|| StoreError::Corrupt(format!("card: brand {name:?}")))
}
