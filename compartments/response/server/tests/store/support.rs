//! A database for each test.

use std::collections::BTreeMap;

use cofferdam_core::{Sha256, Timestamp};
use cofferdam_store::Location;
use response_api::{IncidentId, JournalAct};
use response_server::Author;
use response_server::store::{Act, Store};
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Row as _};

/// Runs each test on both databases, as `sqlite::…` and `postgres::…`.
macro_rules! on_both_databases {
    ($($test:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $test() {
                let dir = tempfile::tempdir().unwrap();
                let file = dir.path().join("response.db");
                let location = cofferdam_store::Location::Sqlite(file);
                super::$test(&crate::support::Tables::open(location).await).await;
            })*
        }
        mod postgres {
            $(#[tokio::test]
            async fn $test() {
                let database = testkit::postgres::Database::create().await;
                super::$test(&crate::support::Tables::open(database.location()).await).await;
            })*
        }
    };
}

/// The tables of one test.
pub struct Tables {
    pub store: Store,
    location: Location,
}

impl Tables {
    pub async fn open(location: Location) -> Self {
        let store = Store::open(&location).await.unwrap();
        Self { store, location }
    }

    /// The same tables, opened once more.
    pub async fn reopen(&self) -> Store {
        Store::open(&self.location).await.unwrap()
    }

    pub const fn is_sqlite(&self) -> bool {
        matches!(self.location, Location::Sqlite(_))
    }

    /// Makes every entry of a journal be refused from now on, as by a full disk.
    pub async fn break_journal(&self) {
        let statement = match self.location {
            Location::Sqlite(_) => {
                "CREATE TRIGGER full BEFORE INSERT ON journal
                 BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
            }
            Location::Postgres(_) => {
                "ALTER TABLE journal ADD CONSTRAINT disk_is_full CHECK (number < 0) NOT VALID"
            }
        };
        sqlx::query(statement).execute(&mut self.connect().await).await.unwrap();
    }

    /// Every row of every table, as text.
    pub async fn rows(&self) -> BTreeMap<String, Vec<String>> {
        let mut connection = self.connect().await;
        let names = match self.location {
            Location::Sqlite(_) => "SELECT name FROM sqlite_master WHERE type = 'table'",
            Location::Postgres(_) => {
                "SELECT CAST(table_name AS TEXT) FROM information_schema.tables
                 WHERE table_schema = 'public'"
            }
        };
        let mut rows = BTreeMap::new();
        for table in texts(&mut connection, names.to_owned()).await {
            let row = self.row_as_text(&mut connection, &table).await;
            let all = texts(&mut connection, format!("SELECT {row} FROM {table} t ORDER BY 1"));
            rows.insert(table.clone(), all.await);
        }
        rows
    }

    async fn row_as_text(&self, connection: &mut AnyConnection, table: &str) -> String {
        if self.location.url().is_some() {
            return "CAST(t AS TEXT)".to_owned();
        }
        let columns = format!("SELECT 'quote(' || name || ')' FROM pragma_table_info('{table}')");
        texts(connection, columns).await.join(" || ' ' || ")
    }

    async fn connect(&self) -> AnyConnection {
        let url = match &self.location {
            Location::Sqlite(file) => format!("sqlite://{}", file.display()),
            Location::Postgres(url) => url.clone(),
        };
        AnyConnection::connect(&url).await.unwrap()
    }
}

async fn texts(connection: &mut AnyConnection, query: String) -> Vec<String> {
    let rows = sqlx::query(AssertSqlSafe(query)).fetch_all(connection).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// An act of one of the staff.
pub fn act(incident: u32, action: JournalAct, second: i64) -> Act {
    Act {
        incident: IncidentId(incident),
        at: at(second),
        by: Author { name: "operator-1".parse().unwrap(), from: "192.0.2.7".to_owned() },
        action,
        detail: "why".to_owned(),
        stage: None,
    }
}

/// A version of a letter. Its number stands for its texts.
pub const fn version(number: u8) -> Sha256 {
    Sha256([number; 32])
}
