//! The tables. One SQL text serves SQLite and PostgreSQL.

mod addresses;
mod changes;
mod credentials;
mod customer_numbers;
mod customers;
mod imports;
mod orders;
mod passkeys;
mod resets;
mod resting;
mod rows;
mod sessions;

use cofferdam_core::{CallerName, Record, Timestamp};
use cofferdam_store::{Db, Location, Migrations, StoreError};
use roaring::RoaringBitmap;
use sqlx::migrate::Migrator;
use sqlx::{Any, Transaction};

pub use addresses::IndexAtRest;
pub use credentials::{Credential, KnownCredential};
pub use customers::{MovedCustomers, NewCustomer, SealedCustomer};
pub use imports::ImportProgress;
pub use orders::{By, OverEverybody, OverSome, Unnamed};
pub use passkeys::KnownPasskey;
pub use resting::MovedAtRest;
pub use sessions::{KeptSession, SessionsWithin};

static SQLITE: Migrator = sqlx::migrate!("./migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("./migrations/postgres");

/// The compartment's database. Clones share it.
#[derive(Debug, Clone)]
pub struct Store {
    db: Db,
}

/// A transaction: all of its changes are made, or none.
pub type Tx = Transaction<'static, Any>;

impl Store {
    /// Opens the database and brings its tables up to date.
    pub async fn open(location: &Location) -> Result<Self, StoreError> {
        let migrations = Migrations { sqlite: &SQLITE, postgres: &POSTGRES };
        Ok(Self { db: Db::open(location, migrations).await? })
    }

    /// The database itself.
    #[must_use]
    pub const fn db(&self) -> &Db {
        &self.db
    }

    /// Begins a transaction that may write.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        self.db.begin().await
    }
}

/// Whether the statement failed because another customer has the same e-mail address.
#[must_use]
pub fn is_address_taken(error: &StoreError) -> bool {
    error.is_taken("addresses", "email_index")
}

/// Whether the statement failed because a customer has the same passkey.
#[must_use]
pub fn is_passkey_taken(error: &StoreError) -> bool {
    error.is_taken("passkeys", "credential_id")
}

/// Whether the statement failed because there is a session with the same token.
#[must_use]
pub fn is_session_taken(error: &StoreError) -> bool {
    error.is_taken("sessions", "token_hash")
}

/// A bitmap in the portable serialisation.
pub fn bitmap_bytes(records: &RoaringBitmap) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::with_capacity(records.serialized_size());
    records.serialize_into(&mut bytes).map_err(|e| StoreError::Corrupt(e.to_string()))?;
    Ok(bytes)
}

fn record_of(number: i64) -> Result<Record, StoreError> {
    let number = u32::try_from(number);
    number.map(Record).map_err(|_| StoreError::Corrupt("a record number above 32 bits".into()))
}

fn time_of(milliseconds: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(milliseconds)
        .map_err(|_| StoreError::Corrupt("a time outside the calendar".into()))
}

fn caller_of(name: &str) -> Result<CallerName, StoreError> {
    name.parse().map_err(|_| StoreError::Corrupt("a caller with a bad name".into()))
}

fn bitmap_of(bytes: &[u8]) -> Result<RoaringBitmap, StoreError> {
    RoaringBitmap::deserialize_from(bytes).map_err(|e| StoreError::Corrupt(e.to_string()))
}

fn bytes_of<const N: usize>(bytes: Vec<u8>) -> Result<[u8; N], StoreError> {
    bytes.try_into().map_err(|_| StoreError::Corrupt(format!("a key without {N} bytes")))
}
