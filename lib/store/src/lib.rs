//! Database pools and migrations. SQLite by default, PostgreSQL beyond one machine's comfort; one
//! SQL text with `$1` parameters serves both.
//!
//! May touch: a SQLite file or a PostgreSQL server. Knows no table.
//! Called by: the `store` modules of the servers.

use std::path::PathBuf;
use std::str::FromStr;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{Any, AnyPool, Transaction};

/// Connections for reading a SQLite file at once; for PostgreSQL the size of the whole pool.
const READERS: u32 = 8;

/// Which database serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// A file of one process.
    Sqlite,
    /// A server.
    Postgres,
}

/// Where the database is, as in a configuration: a path to a SQLite file, or a
/// `postgres://` URL.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Location {
    /// The SQLite file; made when it is not there.
    Sqlite(PathBuf),
    /// The URL of a PostgreSQL database.
    Postgres(String),
}

impl Location {
    /// The directory of a SQLite file, beside which SQLite writes its log.
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

/// Why the database can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It can't be opened.
    #[error("can't open the database {place}: {source}")]
    Open {
        /// The file, or the server without its password.
        place: String,
        /// What the driver says.
        source: sqlx::Error,
    },
    /// A migration failed.
    #[error("can't bring the database {place} up to date: {source}")]
    Migrate {
        /// The file, or the server without its password.
        place: String,
        /// What the migrator says.
        source: MigrateError,
    },
    /// A statement failed.
    #[error("the database refused: {0}")]
    Query(#[from] sqlx::Error),
    /// What stands in the database is not what was once written.
    #[error("the database holds what it should not: {0}")]
    Corrupt(String),
}

impl cofferdam_core::InternalError for StoreError {}

/// The migrations of one server, the same names for both backends.
#[derive(Debug, Clone, Copy)]
pub struct Migrations {
    /// `sqlx::migrate!("./migrations/sqlite")`
    pub sqlite: &'static Migrator,
    /// `sqlx::migrate!("./migrations/postgres")`
    pub postgres: &'static Migrator,
}

/// An open database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Db {
    backend: Backend,
    readers: AnyPool,
    writer: AnyPool,
}

impl Db {
    /// Opens the database and brings its tables up to date.
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

    /// Which backend serves, for the few bulk paths that differ.
    #[must_use]
    pub const fn backend(&self) -> Backend {
        self.backend
    }

    /// For statements that only read.
    #[must_use]
    pub const fn reader(&self) -> &AnyPool {
        &self.readers
    }

    /// For single statements that write.
    #[must_use]
    pub const fn writer(&self) -> &AnyPool {
        &self.writer
    }

    /// A transaction that may write. SQLite has one writer: the pool hands it out in turn, so
    /// that no transaction ever finds the file locked.
    pub async fn begin(&self) -> Result<Transaction<'static, Any>, StoreError> {
        Ok(self.writer.begin().await?)
    }

    /// Closes every connection, and waits for it: SQLite's log of changes is then part of the
    /// file.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    async fn open_sqlite(path: &str) -> Result<Self, StoreError> {
        let opened = |source| StoreError::Open { place: path.to_owned(), source };
        let options =
            AnyConnectOptions::from_str(&format!("sqlite://{path}?mode=rwc")).map_err(opened)?;
        let pool = |size: u32| {
            AnyPoolOptions::new().max_connections(size).after_connect(|connection, _| {
                Box::pin(async move {
                    for pragma in SQLITE_PRAGMAS {
                        sqlx::query(*pragma).execute(&mut *connection).await?;
                    }
                    Ok(())
                })
            })
        };
        let writer = pool(1).connect_with(options.clone()).await.map_err(opened)?;
        let readers = pool(READERS).connect_with(options).await.map_err(opened)?;
        Ok(Self { backend: Backend::Sqlite, readers, writer })
    }

    async fn open_postgres(url: &str, place: &str) -> Result<Self, StoreError> {
        let opened = |source| StoreError::Open { place: place.to_owned(), source };
        let options = AnyConnectOptions::from_str(url).map_err(opened)?;
        let pool = AnyPoolOptions::new()
            .max_connections(READERS)
            .connect_with(options)
            .await
            .map_err(opened)?;
        Ok(Self { backend: Backend::Postgres, readers: pool.clone(), writer: pool })
    }
}

/// WAL so that readers never wait for the writer; every commit on disk before it is answered;
/// deleted data overwritten, so that what was voided or erased does not linger in the file.
const SQLITE_PRAGMAS: &[&str] = &[
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA busy_timeout = 5000",
    "PRAGMA secure_delete = ON",
    "PRAGMA temp_store = MEMORY",
];

/// The URL without user and password, for messages.
fn without_password(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://{rest}"),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_never_shows_the_password() {
        assert_eq!(without_password("postgres://u:p@ss@db:5432/x"), "postgres://db:5432/x");
        assert_eq!(without_password("postgres://db/x"), "postgres://db/x");
    }
}
