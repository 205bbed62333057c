//! The tables: incidents and journals, alarms, exposures, the brought table, letters and their ledger.

mod access_logs;
mod alarms;
mod brought;
mod exposures;
mod findings;
mod incidents;
mod journal;
mod ledger;
mod letters;
mod population;
mod ports;
mod rows;

use cofferdam_store::{Backend, Db, Location, Migrations, StoreError};
use sqlx::{Any, Transaction};

pub use access_logs::StoredAccessLog;
pub use brought::SealedPerson;
pub use findings::Finding;
pub use journal::Act;
pub use rows::bitmap_bytes;

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

    async fn begin(&self) -> Result<Tx, StoreError> {
        Ok(Tx { tx: self.db.begin().await?, backend: self.db.backend() })
    }
}

/// A transaction, with the kind of its database.
struct Tx {
    tx: Transaction<'static, Any>,
    backend: Backend,
}

impl Tx {
    async fn commit(self) -> Result<(), StoreError> {
        Ok(self.tx.commit().await?)
    }
}
