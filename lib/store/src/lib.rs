//! Database pools and migrations for SQLite, the default, and PostgreSQL, for estates beyond one
//! machine. One SQL text with `$1` parameters serves both.
//!
//! May touch: a SQLite file or a PostgreSQL server. Knows only the tables that several compartments
//! have alike: `own_state`, `revoked_key`, `seen_checkpoint`, `numbering`, `frozen_callers`,
//! `generation` and `instance`.
//! Called by: the `store` modules of the servers.

mod claim;
mod damage;
mod frozen_callers;
mod generation;
mod halves;
mod in_force;
mod instances;
mod numbering;
mod own_state;
mod revoked_keys;
mod seen_checkpoints;
mod space;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{Any, AnyConnection, AnyPool, Connection as _, Transaction};

pub use generation::{Generation, SharedChange};
pub use halves::{HalfStage, KeptHalf, epoch_of};
pub use in_force::{Held, InForce, ReadInForce};
pub use space::{DiskWatch, LowDisk};

/// The number of reading connections to a SQLite file, or of all connections to PostgreSQL.
const READERS: u32 = 8;

/// The longest wait for a connection to PostgreSQL. It makes a database that is down an error
/// instead of half a minute of silence.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// The kind of database behind a [`Db`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// A SQLite file, which one process uses.
    Sqlite,
    /// A PostgreSQL server, which several processes may share.
    Postgres,
}

/// The location of a database. A configuration gives the path of a SQLite file or a `postgres://`
/// URL.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Location {
    /// The path of a SQLite file. [`Db::open`] creates a missing file.
    Sqlite(PathBuf),
    /// The URL of a PostgreSQL database.
    Postgres(String),
}

impl Location {
    /// The directory of a SQLite file. SQLite creates its write-ahead log there.
    #[must_use]
    pub fn directory(&self) -> Option<PathBuf> {
        match self {
            Self::Sqlite(path) => match path.parent() {
                Some(dir) if !dir.as_os_str().is_empty() => Some(dir.to_owned()),
                _ => Some(PathBuf::from(".")),
            },
            Self::Postgres(_) => None,
        }
    }

    /// The URL of a PostgreSQL server.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(url) => Some(url),
        }
    }
}

impl From<Location> for String {
    fn from(location: Location) -> Self {
        match location {
            Location::Sqlite(path) => path.display().to_string(),
            Location::Postgres(url) => url,
        }
    }
}

impl From<String> for Location {
    fn from(text: String) -> Self {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            Self::Postgres(text)
        } else {
            Self::Sqlite(text.into())
        }
    }
}

/// An error of a database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database can't be opened.
    #[error("can't open the database {place}: {source}")]
    Open {
        /// The file, or the server's URL without user and password.
        place: String,
        /// The error of the driver.
        source: sqlx::Error,
    },
    /// A SQLite file is gone, and its write-ahead log is left.
    #[error(
        "{file} is missing or empty, but its write-ahead log {file}-wal is there and holds the last \
         writes; nothing was changed: put the database back beside it"
    )]
    FileLost {
        /// The path of the file.
        file: String,
    },
    /// A migration failed.
    #[error("can't migrate the database {place}: {source}")]
    Migrate {
        /// The file, or the server's URL without user and password.
        place: String,
        /// The error of the migrator.
        source: MigrateError,
    },
    /// A statement failed.
    #[error("a database statement failed: {0}")]
    Query(#[from] sqlx::Error),
    /// Another process has the SQLite file.
    #[error("another process serves from the database {place}: stop it, or give each its own")]
    InUse {
        /// The path of the SQLite file.
        place: String,
    },
    /// An instance runs, which would miss the change.
    #[error("an instance runs on this database; stop every one of them first")]
    Running,
    /// The SQLite file can't be claimed for this process.
    #[error("can't claim the database {place} for this process: {source}")]
    Claim {
        /// The path of the SQLite file.
        place: String,
        /// The error of the file system.
        source: std::io::Error,
    },
    /// The database did not answer in time.
    #[error("the database does not answer")]
    NoAnswer,
    /// The database lacks changes that it had.
    #[error("the database went back to an older state while this process ran")]
    WentBack,
    /// A row holds a value that this software does not write.
    #[error("the database holds an invalid value: {0}")]
    Corrupt(String),
}

impl cofferdam_core::InternalError for StoreError {}

impl StoreError {
    /// Whether a row was refused because another one has the same value in this column. Other
    /// columns of the row may be unique as well, and mean something else.
    #[must_use]
    pub fn is_taken(&self, table: &str, column: &str) -> bool {
        let Self::Query(sqlx::Error::Database(e)) = self else { return false };
        // PostgreSQL names the constraint; Citus appends the number of the shard. SQLite names the
        // columns at the end of its message.
        let constraint = [format!("{table}_pkey"), format!("{table}_{column}_key")];
        e.is_unique_violation()
            && (e.constraint().is_some_and(|name| constraint.iter().any(|of| name.starts_with(of)))
                || e.message().ends_with(&format!(": {table}.{column}")))
    }
}

/// The migrations of one server. Both backends have migrations of the same names.
#[derive(Debug, Clone, Copy)]
pub struct Migrations {
    /// The result of `sqlx::migrate!("./migrations/sqlite")`.
    pub sqlite: &'static Migrator,
    /// The result of `sqlx::migrate!("./migrations/postgres")`.
    pub postgres: &'static Migrator,
}

/// An open database. Clones share it.
#[derive(Debug, Clone)]
pub struct Db {
    backend: Backend,
    readers: AnyPool,
    writer: AnyPool,
    /// A connection to PostgreSQL for reports of this instance, which must not wait for others.
    aside: AnyPool,
    /// The SQLite file.
    file: Option<PathBuf>,
    /// The lock of a SQLite file that this process claimed.
    claimed: Arc<Mutex<Option<File>>>,
    /// Whether SQLite found a write-ahead log, which a clean stop leaves empty.
    left_open: bool,
}

impl Db {
    /// Opens the database and runs the migrations that it lacks.
    pub async fn open(location: &Location, migrations: Migrations) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        match location {
            Location::Sqlite(path) => {
                let place = path.display().to_string();
                let db = Self::open_sqlite(&place).await?;
                migrations
                    .sqlite
                    .run(&db.writer)
                    .await
                    .map_err(|source| StoreError::Migrate { place, source })?;
                Ok(db)
            }
            Location::Postgres(url) => {
                let place = without_password(url);
                let db = Self::open_postgres(url, &place).await?;
                migrations
                    .postgres
                    .run(&db.writer)
                    .await
                    .map_err(|source| StoreError::Migrate { place, source })?;
                Ok(db)
            }
        }
    }

    /// The backend, for the few bulk paths that differ between the two.
    #[must_use]
    pub const fn backend(&self) -> Backend {
        self.backend
    }

    /// The pool for statements that only read.
    #[must_use]
    pub const fn reader(&self) -> &AnyPool {
        &self.readers
    }

    /// The pool for single statements that write.
    #[must_use]
    pub const fn writer(&self) -> &AnyPool {
        &self.writer
    }

    /// Begins a transaction that may write. The pool for SQLite has one writing connection and
    /// hands it out in turn, so that no transaction finds the file locked.
    pub async fn begin(&self) -> Result<Transaction<'static, Any>, StoreError> {
        Ok(self.writer.begin().await?)
    }

    /// Closes every connection and waits until all are closed. SQLite then holds everything in its
    /// one file, which an operator may copy.
    pub async fn close(&self) {
        self.readers.close().await;
        if self.backend == Backend::Sqlite
            && let Err(e) = self.fold_in().await
        {
            tracing::error!(cause = %e, "the write-ahead log was not folded into the database");
        }
        self.writer.close().await;
        self.aside.close().await;
        *self.claimed() = None;
    }

    /// Whether the process before this one did not close the database.
    #[must_use]
    pub const fn was_left_open(&self) -> bool {
        self.left_open
    }

    /// The pool for reports of this instance.
    const fn aside(&self) -> &AnyPool {
        &self.aside
    }

    /// The SQLite file.
    fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    fn claimed(&self) -> MutexGuard<'_, Option<File>> {
        self.claimed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn fold_in(&self) -> Result<(), StoreError> {
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&self.writer).await?;
        Ok(())
    }

    async fn open_sqlite(path: &str) -> Result<Self, StoreError> {
        let opened = |source| StoreError::Open { place: path.to_owned(), source };
        let has_content = |path: &str| std::fs::metadata(path).is_ok_and(|file| file.len() > 0);
        let left_open = has_content(&format!("{path}-wal"));
        if left_open && !has_content(path) {
            // SQLite would make a new file, and delete the log.
            return Err(StoreError::FileLost { file: path.to_owned() });
        }
        let options =
            AnyConnectOptions::from_str(&format!("sqlite://{path}?mode=rwc")).map_err(opened)?;
        let pool = |size: u32| {
            AnyPoolOptions::new()
                .max_connections(size)
                .after_connect(|connection, _| Box::pin(set_pragmas(connection)))
                .after_release(|connection, _| Box::pin(is_outside_transaction(connection)))
        };
        let writer = pool(1).connect_with(options.clone()).await.map_err(opened)?;
        let readers = pool(READERS).connect_with(options).await.map_err(opened)?;
        let aside = readers.clone();
        let (backend, file) = (Backend::Sqlite, Some(path.into()));
        Ok(Self { backend, readers, writer, aside, file, claimed: Arc::default(), left_open })
    }

    async fn open_postgres(url: &str, place: &str) -> Result<Self, StoreError> {
        let opened = |source| StoreError::Open { place: place.to_owned(), source };
        let options = AnyConnectOptions::from_str(url).map_err(opened)?;
        let pool =
            |size: u32| AnyPoolOptions::new().max_connections(size).acquire_timeout(CONNECT_WITHIN);
        let aside = pool(1).connect_lazy_with(options.clone());
        let writer = pool(READERS).connect_with(options).await.map_err(opened)?;
        let (backend, readers) = (Backend::Postgres, writer.clone());
        let (file, claimed, left_open) = (None, Arc::default(), false);
        Ok(Self { backend, readers, writer, aside, file, claimed, left_open })
    }
}

/// With a write-ahead log readers never wait for the writer. `synchronous = FULL` puts every commit
/// on the disk before the statement returns. `secure_delete` overwrites deleted data, so that
/// voided or erased data does not linger in the file.
const SQLITE_PRAGMAS: &[&str] = &[
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA busy_timeout = 5000",
    "PRAGMA secure_delete = ON",
    "PRAGMA temp_store = MEMORY",
];

async fn set_pragmas(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    for pragma in SQLITE_PRAGMAS {
        sqlx::query(*pragma).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Whether a connection that comes back to its pool may be used again. On a full disk SQLite itself
/// rolls a transaction back. The driver, which does not notice, then takes every later transaction
/// for a part of that one: after the next rollback, it would commit nothing more.
async fn is_outside_transaction(connection: &mut AnyConnection) -> Result<bool, sqlx::Error> {
    // The rollback of a dropped transaction may still wait for its turn.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

/// The URL without user and password, fit for messages and logs.
fn without_password(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://{rest}"),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_committed_after_a_full_disk_is_stored() {
        const INSERT: &str = "INSERT INTO kept (id, content) VALUES ($1, zeroblob($2))";
        sqlx::any::install_default_drivers();
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open_sqlite(dir.path().join("kept.db").to_str().unwrap()).await.unwrap();
        for sql in [
            "CREATE TABLE kept (id BIGINT PRIMARY KEY, content BLOB NOT NULL)",
            // SQLite reports a file of this size like a full disk.
            "PRAGMA max_page_count = 20",
        ] {
            sqlx::query(sql).execute(db.writer()).await.unwrap();
        }
        let insert = async |id: i64, bytes: i64| {
            let mut transaction = db.begin().await.unwrap();
            let query = sqlx::query(INSERT).bind(id).bind(bytes);
            query.execute(&mut *transaction).await.map(|_| transaction)
        };
        assert!(insert(1, 1 << 20).await.is_err());
        drop(insert(2, 1).await.unwrap());
        insert(3, 1).await.unwrap().commit().await.unwrap();
        let read: Vec<i64> =
            sqlx::query_scalar("SELECT id FROM kept").fetch_all(db.reader()).await.unwrap();
        assert_eq!(read, [3]);
    }

    #[tokio::test]
    async fn a_log_without_its_database_is_kept() {
        sqlx::any::install_default_drivers();
        let dir = tempfile::tempdir().unwrap();
        let [file, log] = ["kept.db", "kept.db-wal"].map(|name| dir.path().join(name));
        std::fs::write(&log, "the last writes").unwrap();
        for empty in [false, true] {
            if empty {
                std::fs::write(&file, "").unwrap();
            }
            let opened = Db::open_sqlite(file.to_str().unwrap()).await;
            assert!(matches!(opened, Err(StoreError::FileLost { .. })), "{opened:?}");
            assert_eq!(std::fs::read_to_string(&log).unwrap(), "the last writes");
        }
    }

    #[test]
    fn a_message_never_shows_the_password() {
        assert_eq!(without_password("postgres://u:p@ss@db:5432/x"), "postgres://db:5432/x");
        assert_eq!(without_password("postgres://db/x"), "postgres://db/x");
    }
}
