//! A fresh PostgreSQL database for one test.

use cofferdam_core::{Rng, SystemRng};
use cofferdam_store::Location;
use sqlx::{AssertSqlSafe, Connection};

/// The environment variable with the URL of a PostgreSQL server and a superuser, such as
/// `postgres://postgres@127.0.0.1:5432/postgres`.
pub const URL: &str = "COFFERDAM_TEST_POSTGRES";

/// A PostgreSQL database that is dropped with this value.
#[derive(Debug)]
pub struct Database {
    server: String,
    name: String,
}

impl Database {
    /// Creates an empty database.
    pub async fn create() -> Self {
        let Ok(server) = std::env::var(URL) else {
            panic!("run ./test or set {URL}");
        };
        let bytes = (&SystemRng as &dyn Rng).bytes::<8>();
        let name = format!("cofferdam_test_{}", hex::encode(bytes));
        execute(&server, format!("CREATE DATABASE {name}")).await;
        Self { server, name }
    }

    /// The URL of the database.
    #[must_use]
    pub fn url(&self) -> String {
        let (server, _) = self.server.rsplit_once('/').expect("a URL with a database in it");
        format!("{server}/{}", self.name)
    }

    /// The location of the database, for `Db::open`.
    #[must_use]
    pub fn location(&self) -> Location {
        Location::from(self.url())
    }
}

impl Drop for Database {
    /// Drops the database from a new thread, because `drop` can't wait for a future on the test's
    /// runtime.
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
            runtime.unwrap().block_on(execute(&server, drop));
        })
        .join();
        // A second panic would hide why the test failed.
        assert!(dropped.is_ok() || std::thread::panicking(), "{} could not be dropped", self.name);
    }
}

/// Runs one statement. The name of a database can't be a parameter, so the statement contains it.
/// `Database::create` makes the name from hexadecimal digits.
async fn execute(server: &str, statement: String) {
    sqlx::any::install_default_drivers();
    let mut connection = sqlx::AnyConnection::connect(server)
        .await
        .unwrap_or_else(|e| panic!("{URL} does not name a PostgreSQL server: {e}"));
    sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_database_is_usable_until_it_is_dropped() {
        let database = Database::create().await;
        let url = database.url();
        execute(&url, "CREATE TABLE t (n BIGINT)".to_owned()).await;
        drop(database);
        assert!(sqlx::AnyConnection::connect(&url).await.is_err());
    }
}
