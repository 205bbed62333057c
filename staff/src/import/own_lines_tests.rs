//! Statements of roles that pgaudit leaves out, in the logs that a real server writes in each format.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use cofferdam_core::{Field, Whose};
use cofferdam_foreign::{Item, LogMapping, LogReader};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};
use testkit::postgres::Database;

const MAPPING: &str = r#"
    format = "pgaudit-FORMAT"
    [[table]]
    name = "public.customer"
    key = "id"
    fields = { full_name = "name", email = "email", phone = "phone" }
"#;
const PREFIX: &str = "log_line_prefix = \"%m [%c:%l] %q%u@%d %r \"";

/// A shop's database, with a role that `setting` has `PostgreSQL` itself log.
struct Shop {
    database: Database,
    role: String,
}

impl Shop {
    async fn open(setting: &str) -> Self {
        let database = Database::create().await;
        let name = database.url().rsplit('_').next().unwrap().to_owned();
        let shop = Self { role: format!("unaudited_{name}"), database };
        let role = &shop.role;
        let mut session = shop.session("postgres").await;
        let setup = format!(
            "CREATE TABLE customer (id int PRIMARY KEY, full_name text, email text, phone text);
             INSERT INTO customer SELECT n, 'N', 'E', 'P' FROM generate_series(1, 20) n;
             CREATE ROLE {role} LOGIN; GRANT ALL ON customer TO {role};
             ALTER ROLE {role} SET pgaudit.log = 'none'; ALTER ROLE {role} SET {setting}"
        );
        sqlx::raw_sql(AssertSqlSafe(setup)).execute(&mut session).await.unwrap();
        shop
    }

    async fn session(&self, user: &str) -> PgConnection {
        let url = self.database.url().replacen("postgres@", &format!("{user}@"), 1);
        PgConnection::connect(&url).await.unwrap()
    }

    /// Reads what the server logged about the role until a text appears, in one of its formats.
    async fn found(&self, format: &str, file: &str, last: &str) -> BTreeSet<String> {
        let logs = std::env::var("COFFERDAM_TEST_POSTGRES_LOGS").unwrap();
        let log = loop {
            let text = fs::read_to_string(Path::new(&logs).join(file)).unwrap();
            let ours = |line: &&str| line.contains(&self.role);
            let ours: String = text.split_inclusive('\n').filter(ours).collect();
            if ours.contains(last) {
                break ours;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        };
        let prefix = if format == "stderr" { PREFIX } else { "" };
        let mapping = MAPPING.replace("FORMAT", format).replacen("[[", &format!("{prefix}\n[["), 1);
        let mut found = BTreeSet::new();
        let mut reader = LogReader::new(LogMapping::parse(&mapping).unwrap());
        let read = reader.read(log.as_bytes(), &mut |item| {
            match item {
                Item::Access(access) => {
                    let fields: Vec<_> = access.fields.iter().map(Field::as_str).collect();
                    let whose = match access.whose {
                        Whose::Keys(keys) => keys.iter().map(|k| k.expose().to_owned()).collect(),
                        _ => vec!["everybody".to_owned()],
                    };
                    found.insert(format!("{} of {}", fields.join(","), whose.join(",")));
                }
                Item::Bad { why, .. } => panic!("{why}"),
                _ => {}
            }
            Ok::<_, ()>(())
        });
        read.unwrap();
        found
    }

    async fn check(self, expected: &[&str], last: &str) {
        for (format, file) in
            [("csv", "postgresql.csv"), ("json", "postgresql.json"), ("stderr", "postgresql")]
        {
            let found = self.found(format, file, last).await;
            let found: Vec<_> = found.iter().map(String::as_str).collect();
            assert_eq!(found, expected, "{format}");
        }
        let end = format!("DROP OWNED BY {0} CASCADE; DROP ROLE {0}", self.role);
        let mut session = self.session("postgres").await;
        sqlx::raw_sql(AssertSqlSafe(end)).execute(&mut session).await.unwrap();
    }
}

/// Reads customers by plain statements, with parameters, and in a prepared statement.
async fn read_some(session: &mut PgConnection) {
    sqlx::raw_sql("SELECT full_name FROM customer WHERE id = 3")
        .execute(&mut *session)
        .await
        .unwrap();
    for id in [5, 6] {
        let query = sqlx::query("SELECT email FROM customer WHERE id = $1").bind(id);
        let row = query.fetch_one(&mut *session).await.unwrap();
        assert_eq!(row.get::<String, _>(0), "E");
    }
    let name = sqlx::query("SELECT phone FROM customer WHERE id = $1 AND full_name = $2");
    name.bind(7).bind("it's, $1 = '8'").fetch_optional(&mut *session).await.unwrap();
}

#[tokio::test]
async fn statements_of_log_statement_count() {
    let shop = Shop::open("log_statement = 'all'").await;
    let mut session = shop.session(&shop.role).await;
    read_some(&mut session).await;
    sqlx::raw_sql("SELECT nope FROM customer").execute(&mut session).await.unwrap_err();
    sqlx::raw_sql("SELECT 'the end'").execute(&mut session).await.unwrap();
    let expected = ["email of 5", "email of 6", "name of 3", "name,phone of 7"];
    // Of a statement that is logged before it runs, no error is known.
    let unknown = ["name,email,phone of everybody"];
    let mut expected = [&expected[..], &unknown].concat();
    expected.sort_unstable();
    shop.check(&expected, "the end").await;
}

#[tokio::test]
async fn statements_with_a_duration_count() {
    let shop = Shop::open("log_min_duration_statement = 0").await;
    let mut session = shop.session(&shop.role).await;
    read_some(&mut session).await;
    sqlx::raw_sql("SELECT nope FROM customer").execute(&mut session).await.unwrap_err();
    sqlx::raw_sql("SELECT 'the end'").execute(&mut session).await.unwrap();
    shop.check(&["email of 5", "email of 6", "name of 3", "name,phone of 7"], "the end").await;
}

#[tokio::test]
async fn a_statement_that_failed_counts() {
    let shop = Shop::open("log_min_error_statement = 'error'").await;
    let mut session = shop.session(&shop.role).await;
    read_some(&mut session).await;
    let fails = "SELECT phone, 1 / (id - 7) FROM customer";
    sqlx::raw_sql(fails).execute(&mut session).await.unwrap_err();
    sqlx::raw_sql("SELECT full_name, nope FROM customer").execute(&mut session).await.unwrap_err();
    sqlx::raw_sql("SELECT 'the end' / 0").execute(&mut session).await.unwrap_err();
    shop.check(&["phone of everybody"], "the end").await;
}
