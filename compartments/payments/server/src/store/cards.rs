//! Cards.

use cofferdam_core::{Epoch, Record};
use cofferdam_store::StoreError;
use payments_api::Brand;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};

use super::Store;
use crate::domain::{brand_named, name_of};

/// Rows per `INSERT`: with 7 columns well below the 32,766 parameters that SQLite takes.
const CHUNK: usize = 100;
const COLUMNS: usize = 7;

/// A card to keep.
#[derive(Debug, Clone)]
pub struct NewCard {
    /// SHA-256 of its token.
    pub token_hash: Vec<u8>,
    /// The rest.
    pub card: SealedCard,
}

/// A card as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedCard {
    /// Its number in this compartment.
    pub record: Record,
    /// Whose network.
    pub brand: Brand,
    /// The generation of the keys that it is sealed under.
    pub epoch: Epoch,
    /// The card number, sealed.
    pub number: Vec<u8>,
    /// Month and year of expiry, sealed.
    pub expiry: Vec<u8>,
    /// The last four digits, sealed.
    pub masked: Vec<u8>,
}

impl Store {
    /// Keeps all of `cards`, or none.
    pub async fn insert_cards(&self, cards: &[NewCard]) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        for chunk in cards.chunks(CHUNK) {
            let mut insert = sqlx::query(AssertSqlSafe(insert_of(chunk.len())));
            for NewCard { token_hash, card } in chunk {
                insert = insert
                    .bind(i64::from(card.record.0))
                    .bind(token_hash.as_slice())
                    .bind(name_of(card.brand))
                    .bind(i64::from(card.epoch.0))
                    .bind(card.number.as_slice())
                    .bind(card.expiry.as_slice())
                    .bind(card.masked.as_slice());
            }
            insert.execute(&mut *tx).await?;
        }
        Ok(tx.commit().await?)
    }

    /// The card whose token has this hash.
    pub async fn find_card(&self, token_hash: &[u8]) -> Result<Option<SealedCard>, StoreError> {
        const FIND: &str = "SELECT record, brand, epoch, number, expiry, masked \
             FROM cards WHERE token_hash = $1";
        let row = sqlx::query(FIND).bind(token_hash).fetch_optional(self.db.reader()).await?;
        row.as_ref().map(card).transpose()
    }

    /// Up to `limit` cards from `from` on that are sealed under an epoch before `epoch`.
    pub async fn cards_before(
        &self,
        from: Record,
        epoch: Epoch,
        limit: u32,
    ) -> Result<Vec<SealedCard>, StoreError> {
        const LIST: &str = "SELECT record, brand, epoch, number, expiry, masked FROM cards \
             WHERE record >= $1 AND epoch < $2 ORDER BY record LIMIT $3";
        let rows = sqlx::query(LIST)
            .bind(i64::from(from.0))
            .bind(i64::from(epoch.0))
            .bind(i64::from(limit))
            .fetch_all(self.db.reader())
            .await?;
        rows.iter().map(card).collect()
    }

    /// Replaces the sealed texts of cards whose epoch is still what it was, all or none.
    pub async fn replace_cards(&self, cards: &[(Epoch, SealedCard)]) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        for (was, card) in cards {
            sqlx::query(
                "UPDATE cards SET epoch = $1, number = $2, expiry = $3, masked = $4
                 WHERE record = $5 AND epoch = $6",
            )
            .bind(i64::from(card.epoch.0))
            .bind(card.number.as_slice())
            .bind(card.expiry.as_slice())
            .bind(card.masked.as_slice())
            .bind(i64::from(card.record.0))
            .bind(i64::from(was.0))
            .execute(&mut *tx)
            .await?;
        }
        Ok(tx.commit().await?)
    }

    /// How many cards there are.
    pub async fn count_cards(&self) -> Result<u64, StoreError> {
        let (count,): (i64,) =
            sqlx::query_as("SELECT COUNT(*) FROM cards").fetch_one(self.db.reader()).await?;
        Ok(count.unsigned_abs())
    }

    /// The number of the next card.
    pub async fn next_record(&self) -> Result<u32, StoreError> {
        let (last,): (Option<i64>,) =
            sqlx::query_as("SELECT MAX(record) FROM cards").fetch_one(self.db.reader()).await?;
        let next = u32::try_from(last.map_or(0, |last| last + 1));
        next.map_err(|_| StoreError::Corrupt("a card's number past 32 bits".to_owned()))
    }
}

fn card(row: &AnyRow) -> Result<SealedCard, StoreError> {
    let corrupt = |what: &str| StoreError::Corrupt(format!("a card's {what}"));
    let record = u32::try_from(row.try_get::<i64, _>(0)?).map_err(|_| corrupt("number"))?;
    let brand: String = row.try_get(1)?;
    let epoch = u16::try_from(row.try_get::<i64, _>(2)?).map_err(|_| corrupt("epoch"))?;
    Ok(SealedCard {
        record: Record(record),
        brand: brand_named(&brand).ok_or_else(|| corrupt("brand"))?,
        epoch: Epoch(epoch),
        number: row.try_get(3)?,
        expiry: row.try_get(4)?,
        masked: row.try_get(5)?,
    })
}

/// The statement that inserts `rows` cards: `… VALUES ($1,…,$7),($8,…`.
fn insert_of(rows: usize) -> String {
    let row = |row: usize| {
        let places: Vec<_> = (1..=COLUMNS).map(|i| format!("${}", row * COLUMNS + i)).collect();
        format!("({})", places.join(","))
    };
    let values: Vec<_> = (0..rows).map(row).collect();
    format!(
        "INSERT INTO cards (record, token_hash, brand, epoch, number, expiry, masked) VALUES {}",
        values.join(",")
    )
}
