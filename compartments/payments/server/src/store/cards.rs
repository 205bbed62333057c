//! Cards.

use cofferdam_core::{Epoch, Record};
use cofferdam_store::{StoreError, epoch_of};
use keys_client::HalfSpan;
use payments_api::Brand;
use sqlx::{AssertSqlSafe, FromRow};

use super::Store;
use crate::domain::{brand_named, name_of};

/// The number of rows in an `INSERT`: with 7 columns well below the 32,766 parameters that SQLite
/// takes.
const CHUNK: usize = 100;
const COLUMNS: usize = 7;

/// A card to be stored.
#[derive(Debug, Clone)]
pub struct NewCard {
    /// SHA-256 of the token.
    pub token_hash: Vec<u8>,
    /// The card, sealed.
    pub card: SealedCard,
}

/// A card as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedCard {
    /// The number of the card in this compartment.
    pub record: Record,
    /// The card's network.
    pub brand: Brand,
    /// The epoch of the keys under which it is sealed.
    pub epoch: Epoch,
    /// The card number, sealed.
    pub number: Vec<u8>,
    /// Month and year of expiry, sealed.
    pub expiry: Vec<u8>,
    /// The last four digits, sealed.
    pub masked: Vec<u8>,
}

#[derive(FromRow)]
struct CardRow {
    record: i64,
    brand: String,
    epoch: i64,
    number: Vec<u8>,
    expiry: Vec<u8>,
    masked: Vec<u8>,
}

impl Store {
    /// Stores all of `cards`, or none.
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

    /// Finds the card whose token has this hash.
    pub async fn find_card(&self, token_hash: &[u8]) -> Result<Option<SealedCard>, StoreError> {
        const FIND: &str = "SELECT record, brand, epoch, number, expiry, masked \
             FROM cards WHERE token_hash = $1";
        let row: Option<CardRow> =
            sqlx::query_as(FIND).bind(token_hash).fetch_optional(self.db.reader()).await?;
        row.map(card).transpose()
    }

    /// The highest epoch under which a card is sealed.
    pub async fn sealed_upto(&self) -> Result<Option<Epoch>, StoreError> {
        let highest: Option<i64> =
            sqlx::query_scalar("SELECT MAX(epoch) FROM cards").fetch_one(self.db.reader()).await?;
        highest.map(epoch_of).transpose()
    }

    /// Whether a card is sealed under an epoch of a half.
    pub async fn holds_under(&self, span: HalfSpan) -> Result<bool, StoreError> {
        let held = "SELECT record FROM cards WHERE epoch >= $1 AND epoch < $2 LIMIT 1";
        let held: Option<i64> = sqlx::query_scalar(held)
            .bind(i64::from(span.from.0))
            .bind(i64::from(span.until.0))
            .fetch_optional(self.db.reader())
            .await?;
        Ok(held.is_some())
    }

    /// Reads up to `limit` cards from `from` on that are sealed under an epoch before `epoch`,
    /// ascending.
    pub async fn cards_before(
        &self,
        from: Record,
        epoch: Epoch,
        limit: u32,
    ) -> Result<Vec<SealedCard>, StoreError> {
        const LIST: &str = "SELECT record, brand, epoch, number, expiry, masked FROM cards \
             WHERE record >= $1 AND epoch < $2 ORDER BY record LIMIT $3";
        let rows: Vec<CardRow> = sqlx::query_as(LIST)
            .bind(i64::from(from.0))
            .bind(i64::from(epoch.0))
            .bind(i64::from(limit))
            .fetch_all(self.db.reader())
            .await?;
        rows.into_iter().map(card).collect()
    }

    /// Replaces the sealed texts of cards, all or none. A card whose epoch is no longer the given
    /// one stays unchanged.
    pub async fn replace_cards(&self, cards: &[(Epoch, SealedCard)]) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        for (was, card) in cards {
            sqlx::query(
                "UPDATE cards SET epoch = $1, number = $2, expiry = $3, masked = $4 \
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

    /// Counts the cards.
    pub async fn count_cards(&self) -> Result<u64, StoreError> {
        let count: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM cards").fetch_one(self.db.reader()).await?;
        Ok(count.unsigned_abs())
    }

    /// The number behind the last record number of a card; 0 if there is none.
    pub async fn numbers_held(&self) -> Result<u32, StoreError> {
        let last: Option<i64> =
            sqlx::query_scalar("SELECT MAX(record) FROM cards").fetch_one(self.db.reader()).await?;
        let next = u32::try_from(last.map_or(0, |last| last + 1));
        next.map_err(|_| StoreError::Corrupt("a card's number above 32 bits".to_owned()))
    }
}

fn card(row: CardRow) -> Result<SealedCard, StoreError> {
    let corrupt = |what: &str| StoreError::Corrupt(format!("a card's {what}"));
    let CardRow { record, brand, epoch, number, expiry, masked } = row;
    Ok(SealedCard {
        record: Record(u32::try_from(record).map_err(|_| corrupt("number"))?),
        brand: brand_named(&brand).ok_or_else(|| corrupt("brand"))?,
        epoch: epoch_of(epoch)?,
        number,
        expiry,
        masked,
    })
}

/// The statement that inserts `rows` cards: `… VALUES ($1,…,$7),($8,…`.
fn insert_of(rows: usize) -> String {
    let row = |row: usize| {
        let place = |column| format!("${}", row * COLUMNS + column);
        let places: Vec<_> = (1..=COLUMNS).map(place).collect();
        format!("({})", places.join(","))
    };
    let values: Vec<_> = (0..rows).map(row).collect();
    format!(
        "INSERT INTO cards (record, token_hash, brand, epoch, number, expiry, masked) VALUES {}",
        values.join(",")
    )
}
