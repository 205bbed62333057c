//! The tables: incidents and journals, alarms, exposures, the brought table, letters and their
//! ledger.

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
mod returned;
mod rows;
mod sightings;
mod table_imports;

use std::sync::Arc;

use cofferdam_store::{Backend, Db, Location, Migrations, StoreError};
use response_api::IncidentId;
use sqlx::{Any, Transaction};
use tokio::sync::watch;

use rows::sql;

pub use access_logs::StoredAccessLog;
pub use brought::{KnownPerson, SealedPerson};
pub use findings::{Finding, Hold, VoidedSome};
pub use journal::{Act, AnchorTurn};
pub use returned::{Decided, StoredReturned};
pub use rows::bitmap_bytes;

static SQLITE: sqlx::migrate::Migrator = sqlx::migrate!("./migrations/sqlite");
static POSTGRES: sqlx::migrate::Migrator = sqlx::migrate!("./migrations/postgres");

/// The open database of `response`.
#[derive(Debug, Clone)]
pub struct Store {
    db: Db,
    /// The number of commits of this process that added to a journal.
    journalled: Arc<watch::Sender<u64>>,
}

impl Store {
    /// Opens the database and brings its tables up to date.
    pub async fn open(location: &Location) -> Result<Self, StoreError> {
        let migrations = Migrations { sqlite: &SQLITE, postgres: &POSTGRES };
        let db = Db::open(location, migrations).await?;
        Ok(Self { db, journalled: Arc::new(watch::Sender::new(0)) })
    }

    /// The database itself.
    #[must_use]
    pub const fn db(&self) -> &Db {
        &self.db
    }

    async fn begin(&self) -> Result<Tx, StoreError> {
        let (tx, backend) = (self.db.begin().await?, self.db.backend());
        Ok(Tx { tx, backend, journalled: self.journalled.clone(), adds_to_journal: false })
    }
}

/// A transaction, with the kind of its database.
#[expect(clippy::struct_field_names, reason = "it holds the transaction of the database")]
struct Tx {
    tx: Transaction<'static, Any>,
    backend: Backend,
    journalled: Arc<watch::Sender<u64>>,
    /// Whether an entry was added to a journal.
    adds_to_journal: bool,
}

/// Work that transactions must do one after the other.
#[derive(Debug, Clone, Copy)]
enum Turn {
    /// Adding an entry to a journal, because each entry names the one before.
    Journal(IncidentId),
    /// Giving a new row the number after the last one.
    Number,
    /// Anchoring journals, because `keys` must get the ends of a journal in their order.
    Anchor,
}

impl Tx {
    /// Waits for the turn, and keeps it until the transaction ends. PostgreSQL runs transactions at
    /// the same time; SQLite has one writer.
    async fn take_turn(&mut self, turn: Turn) -> Result<(), StoreError> {
        if self.backend == Backend::Sqlite {
            return Ok(());
        }
        let (kind, number) = match turn {
            Turn::Journal(incident) => (0x6a6f_7572_i64, i64::from(incident.0)),
            Turn::Number => (0x6e75_6d62, 0),
            Turn::Anchor => (0x616e_6368, 0),
        };
        // The driver can't read the type that the lock returns.
        let lock = "pg_advisory_xact_lock(CAST($1 AS INTEGER), CAST($2 AS INTEGER)) IS NULL";
        sqlx::query(sql(format!("SELECT CASE WHEN {lock} THEN 1 ELSE 0 END")))
            .bind(kind)
            .bind(number)
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    async fn commit(self) -> Result<(), StoreError> {
        self.tx.commit().await?;
        if self.adds_to_journal {
            self.journalled.send_modify(|commits| *commits += 1);
        }
        Ok(())
    }
}
