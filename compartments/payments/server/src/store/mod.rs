//! The tables. One SQL text serves SQLite and PostgreSQL.

mod callers;
mod cards;
#[cfg(test)]
mod tests;

use cofferdam_store::{Db, Location, Migrations, StoreError};
use sqlx::migrate::Migrator;

pub use callers::Frozen;
pub use cards::{NewCard, SealedCard};

static SQLITE: Migrator = sqlx::migrate!("./migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("./migrations/postgres");

/// The compartment's database. Clones share it.
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

    /// The database itself.
    #[must_use]
    pub const fn db(&self) -> &Db {
        &self.db
    }
}
