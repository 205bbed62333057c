//! A fresh PostgreSQL database for one test.

use cofferdam_core::{Rng, SystemRng};
use cofferdam_store::Location;
use sqlx::{AssertSqlSafe, Connection};

/// The environment variable with the URL of a PostgreSQL server, as a superuser:
/// `postgres://postgres@127.0.0.1:5432/postgres`.
pub const URL: &str = "COFFERDAM_TEST_POSTGRES";

/// A database that is dropped with this value.
#[derive(Debug)]
pub struct Database {
    server: String,
    name: String,
}

impl Database {
    /// Makes an empty database.
    pub async fn create() -> Self {
        let Ok(server) = std::env::var(URL) else {
            panic!("run ./test, or set {URL}");
        };
        let bytes = (&SystemRng as &dyn Rng).bytes::<8>();
        let name = format!("cofferdam_test_{}", hex::encode(bytes));
        execute(&server, format!("CREATE DATABASE {name}")).await;
        Self { server, name }
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        let (server, _) = self.server.rsplit_once('/').expect("a URL with a database in it");
        format!("{server}/{}", self.name)
    }

    /// Where it is, for `Db::open`.
    #[must_use]
    pub fn location(&self) -> Location {
        Location::from(self.url())
    }
}

impl Drop for Database {
    /// On a thread of its own: the test's runtime can't be blocked on, and may be gone.
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
            runtime.unwrap().block_on(execute(&server, drop));
        })
        .join();
        // A test that fails already is to say why it does.
        assert!(dropped.is_ok() || std::thread::panicking(), "{} could not be dropped", self.name);
    }
}

/// Runs one statement. Names of databases can't be parameters; ours are made above.
async fn execute(server: &str, statement: String) {
    sqlx::any::install_default_drivers();
    let mut connection = sqlx::AnyConnection::connect(server)
        .await
        .unwrap_or_else(|e| panic!("{URL} does not lead to a PostgreSQL server: {e}"));
    sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_database_is_there_for_its_test_and_gone_after() {
        let database = Database::create().await;
        let url = database.url();
        execute(&url, "CREATE TABLE t (n BIGINT)".to_owned()).await;
        drop(database);
        assert!(sqlx::AnyConnection::connect(&url).await.is_err());
    }
}
