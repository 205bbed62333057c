//! The tables: incidents and journal, the alarm feed, findings, letters and their ledger.

mod feed;
mod findings;
mod incidents;
mod journal;
mod ledger;
mod letters;
mod pages;
mod population;
mod roster;

use cofferdam_core::Timestamp;
use cofferdam_store::{Db, Location, Migrations, StoreError};
use futures_util::{Stream, TryStreamExt as _};
use roaring::RoaringBitmap;
use sqlx::any::AnyRow;
use sqlx::{Any, Row, Transaction};

pub use findings::Kind;
pub use journal::Act;
pub use ledger::{
    Batch, CameBack, Claimed, Counts, Holder, Locale, Outcome, PlannedRow, Put, StoredRow,
};
pub use letters::Letter;
pub use roster::SealedPerson;

static SQLITE: sqlx::migrate::Migrator = sqlx::migrate!("./migrations/sqlite");
static POSTGRES: sqlx::migrate::Migrator = sqlx::migrate!("./migrations/postgres");

/// The open database.
#[derive(Debug, Clone)]
pub struct Store {
    db: Db,
}

impl Store {
    /// Opens the database and brings its tables up to date.
    pub async fn open(location: &Location) -> Result<Self, StoreError> {
        let migrations = Migrations { sqlite: &SQLITE, postgres: &POSTGRES };
        Ok(Self { db: Db::open(location, migrations).await? })
    }

    async fn begin(&self) -> Result<Transaction<'static, Any>, StoreError> {
        self.db.begin().await
    }
}

fn instant(ms: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(ms).map_err(|e| StoreError::Corrupt(e.to_string()))
}

fn number<T: TryFrom<i64>>(stored: i64) -> Result<T, StoreError> {
    T::try_from(stored).map_err(|_| StoreError::Corrupt(format!("the number {stored}")))
}

/// A bitmap in the portable serialisation.
pub fn bytes_of(records: &RoaringBitmap) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::with_capacity(records.serialized_size());
    records.serialize_into(&mut bytes).map_err(corrupt)?;
    Ok(bytes)
}

fn corrupt(what: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(what.to_string())
}

/// May be everybody: one row at a time, and sorted by the bitmap.
async fn people(
    mut rows: impl Stream<Item = Result<AnyRow, sqlx::Error>> + Unpin,
) -> Result<RoaringBitmap, StoreError> {
    let mut people = RoaringBitmap::new();
    while let Some(row) = rows.try_next().await? {
        people.insert(number(row.try_get(0)?)?);
    }
    Ok(people)
}
