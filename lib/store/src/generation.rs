//! The generation of a database that several instances share. It grows with every change that the
//! other instances must see. Every compartment with such changes has the table `generation` for it.

use sqlx::{Any, Transaction};

use crate::{Backend, Db, StoreError};

/// The number of changes that a database has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Generation(pub(crate) i64);

impl Generation {
    /// The number, for the parameter of a statement.
    #[must_use]
    pub const fn number(self) -> i64 {
        self.0
    }
}

/// A transaction that changes what other instances must see. From its begin to its end no other such
/// change happens, and no row is written under the generation before it
/// ([`Db::under_generation`]).
#[derive(Debug)]
pub struct SharedChange {
    /// The transaction. Dropping it without [`SharedChange::commit`] takes the change back.
    pub tx: Transaction<'static, Any>,
    generation: Generation,
}

impl SharedChange {
    /// Commits, and returns the generation of the change.
    pub async fn commit(self) -> Result<Generation, StoreError> {
        self.tx.commit().await?;
        Ok(self.generation)
    }
}

impl Db {
    /// The generation of the database.
    pub async fn generation(&self) -> Result<Generation, StoreError> {
        let value = sqlx::query_scalar("SELECT value FROM generation");
        Ok(Generation(value.fetch_one(self.reader()).await?))
    }

    /// Begins a change that other instances must see.
    pub async fn begin_shared_change(&self) -> Result<SharedChange, StoreError> {
        const MOVE: &str = "UPDATE generation SET value = value + 1 RETURNING value";
        let mut tx = self.begin().await?;
        if self.backend() == Backend::Postgres {
            // An instance that stands still here would hold up every other one.
            sqlx::query("SET LOCAL idle_in_transaction_session_timeout = '1s'")
                .execute(&mut *tx)
                .await?;
        }
        let generation = Generation(sqlx::query_scalar(MOVE).fetch_one(&mut *tx).await?);
        Ok(SharedChange { tx, generation })
    }

    /// Begins a change that is right only if no other one came since the generation `seen`; `None`
    /// if one did.
    pub async fn begin_shared_change_after(
        &self,
        seen: Generation,
    ) -> Result<Option<SharedChange>, StoreError> {
        let change = self.begin_shared_change().await?;
        Ok(Some(change).filter(|change| change.generation.0 == seen.0 + 1))
    }

    /// The end of a statement `INSERT … SELECT …` that writes only if the generation is still the one
    /// in the parameter `$1`. The statement and a change wait for each other, so that a change sees
    /// every row that was written before it.
    #[must_use]
    pub const fn under_generation(&self) -> &'static str {
        match self.backend() {
            // SQLite has one writer at a time.
            Backend::Sqlite => "FROM generation WHERE value = $1",
            Backend::Postgres => "FROM generation WHERE value = $1 FOR SHARE",
        }
    }
}
