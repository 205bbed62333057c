//! The shop's one database, and the configuration that opens it.

use std::fs::{self, File};
use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};

use cofferdam_core::{KeyBytes, Personal, Rng};
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{QueryBuilder, Sqlite, SqlitePool};
use zeroize::Zeroizing;

use super::error::{FlatError, at};
use super::secrets::{CardKey, hash_password};

/// The tables. A session without a customer belongs to the desk, which may see all customers.
const SCHEMA: &str = "
CREATE TABLE customers (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  email TEXT NOT NULL,
  phone TEXT NOT NULL,
  billing_address TEXT NOT NULL,
  shipping_address TEXT NOT NULL,
  card_last4 TEXT,
  password_hash TEXT NOT NULL,
  card_number BLOB -- AES-256-GCM
);
CREATE TABLE sessions (token_hash BLOB PRIMARY KEY, customer INTEGER, opened_at TEXT NOT NULL)";
/// The number of rows in a statement. A row has nine parameters, and SQLite takes 32,766 in a
/// statement.
const ROWS: u32 = 1_000;
/// The number of rows in a transaction.
const BATCH: u32 = 50 * ROWS;
/// The number of hashes that the customers who never sign in share.
const POOL: usize = 256;

/// The configuration on the app server's host. A thief of the host has it too.
#[derive(Debug, Serialize, Deserialize)]
pub struct Config {
    /// The path of the database. For SQLite, the path is the credential.
    pub database: PathBuf,
    /// The key of the card numbers.
    pub card_key: KeyBytes,
    /// The path of the access log.
    pub access_log: PathBuf,
}

impl Config {
    /// Writes a configuration into `dir`. Returns its path.
    pub fn create(dir: &Path, rng: &dyn Rng) -> Result<PathBuf, FlatError> {
        fs::create_dir_all(dir).map_err(at(dir))?;
        let config = Self {
            database: dir.join("shop.db"),
            card_key: KeyBytes::new(rng.bytes()),
            access_log: dir.join("access.log"),
        };
        let path = dir.join("app.json");
        let text = Zeroizing::new(serde_json::to_vec_pretty(&config)?);
        // A file that exists holds another shop's key and is not written over.
        File::create_new(&path).and_then(|mut file| file.write_all(&text)).map_err(at(&path))?;
        Ok(path)
    }

    /// Reads a configuration, as the app server does when it starts.
    pub fn read(path: &Path) -> Result<Self, FlatError> {
        Ok(serde_json::from_slice(&Zeroizing::new(fs::read(path).map_err(at(path))?))?)
    }

    /// Opens the database with the rights of the app server, which are unlimited.
    pub async fn open(&self) -> Result<SqlitePool, FlatError> {
        let options = SqliteConnectOptions::new()
            .filename(&self.database)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal);
        Ok(SqlitePool::connect_with(options).await?)
    }
}

/// A customer of the conventional shop.
#[derive(Debug, Clone)]
pub struct FlatPerson {
    /// The full name.
    pub name: String,
    /// The e-mail address, which no other customer has.
    pub email: String,
    /// The telephone number.
    pub phone: String,
    /// The address for bills.
    pub billing_address: String,
    /// The address for parcels.
    pub shipping_address: String,
    /// The card number, for customers who left one.
    pub card_number: Option<Personal>,
    /// The password, as the customer types it.
    pub password: Personal,
}

/// Makes the tables, and fills them with `customers`, of whom `shoppers` will sign in.
pub async fn fill(
    db: &SqlitePool,
    key: &CardKey,
    customers: u32,
    person: &impl Fn(u32) -> FlatPerson,
    shoppers: &RoaringBitmap,
    rng: &dyn Rng,
) -> Result<(), FlatError> {
    sqlx::raw_sql(SCHEMA).execute(db).await?;
    // Only the customers who sign in get the hash of their own password. The others share a few
    // hashes of random passwords, because hashing millions would take hours and change no count.
    let pool: Vec<_> =
        (0..POOL).map(|_| hash_password(&hex::encode(rng.bytes::<16>()), rng)).collect();
    let row = |id: u32| {
        let person = person(id);
        let own = shoppers.contains(id).then(|| hash_password(person.password.expose(), rng));
        Row {
            id,
            password_hash: own.unwrap_or_else(|| pool[id as usize % POOL].clone()),
            card_number: person.card_number.as_ref().map(|number| key.seal(number, rng)),
            person,
        }
    };
    for batch in parts(0..customers, BATCH) {
        let mut transaction = db.begin().await?;
        for numbers in parts(batch, ROWS) {
            insert(numbers.map(row)).build().execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
    }
    // An index on a full table is made faster than an index that grows with the table.
    sqlx::raw_sql("CREATE UNIQUE INDEX customers_email ON customers (email)").execute(db).await?;
    Ok(())
}

/// The parts of a range, each of `size` or less.
fn parts(whole: Range<u32>, size: u32) -> impl Iterator<Item = Range<u32>> {
    let end = whole.end;
    whole.step_by(size as usize).map(move |first| first..end.min(first.saturating_add(size)))
}

struct Row {
    id: u32,
    person: FlatPerson,
    password_hash: String,
    card_number: Option<Vec<u8>>,
}

fn insert(rows: impl Iterator<Item = Row>) -> QueryBuilder<Sqlite> {
    let mut insert = QueryBuilder::new("INSERT INTO customers ");
    insert.push_values(rows, |mut values, Row { id, person, password_hash, card_number }| {
        values
            .push_bind(id)
            .push_bind(person.name)
            .push_bind(person.email)
            .push_bind(person.phone)
            .push_bind(person.billing_address)
            .push_bind(person.shipping_address)
            .push_bind(person.card_number.as_ref().map(last_four))
            .push_bind(password_hash)
            .push_bind(card_number);
    });
    insert
}

/// The last four digits of a card.
pub fn last_four(number: &Personal) -> String {
    let digits = number.expose();
    digits.get(digits.len().saturating_sub(4)..).unwrap_or_default().to_owned()
}
