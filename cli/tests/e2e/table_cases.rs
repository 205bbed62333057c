//! Tables with the outcome that each must have, brought as a shop would bring them.

use std::fs;
use std::process::Output;

use response_api::{DoubtCause, Exposure};
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use testkit::postgres::Database;

use crate::foreign_cases::fixture;
use crate::support::{Place, Up, assert_refused, json, stdout};

/// Brings a table of the cases or of the estate's directory. Its rejects go into that directory.
fn add(place: &Place, from: &str, mapping: &str) -> std::process::Command {
    let mut add = place.cofferdam(["table", "add", "--from", from]);
    add.args(["--mapping", &fixture(place, mapping), "--rejects", &place.file("rejects.csv")]);
    add
}

fn run(mut command: std::process::Command) -> Output {
    command.output().unwrap()
}

/// The doubts about rows that were not taken, in the scope of a new incident.
fn rows_not_taken(place: &Place) -> Vec<u64> {
    let mut declare = place.cofferdam(["incident", "declare", "--people", "table"]);
    declare.args(["--title", "t", "--found", "f", "--fallen", "web-ky"]);
    declare.args(["--from", "2012-01-15T00:00:00Z", "--to", "2012-01-16T00:00:00Z"]);
    let number = json(declare)["incident"].to_string();
    let scoped = place.json(["incident", "scope", &number, "--from-log"]);
    let exposure: Exposure = serde_json::from_value(scoped).unwrap();
    let mut found = Vec::new();
    for doubt in exposure.doubts {
        if let DoubtCause::RowsNotTaken { rows, .. } = doubt.cause {
            assert!(doubt.what.starts_with(&format!("{rows} rows could not be taken")));
            found.push(rows);
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn each_table_has_its_outcome() {
    let place = Place::new();
    let _up = Up::start(&place);
    for (file, mapping, people, form) in [
        ("42-long-holds.csv", "roster.toml", 2, "whole_number"),
        ("43-float-key.csv", "roster.toml", 1, "with_decimals"),
        ("45-mysql-null.csv", "roster.toml", 1, "whole_number"),
        ("47-uuid-key.parquet", "parquet.toml", 2, "text"),
    ] {
        let done = json(add(&place, &fixture(&place, file), mapping));
        let brought = done["created"].as_u64().unwrap() + done["updated"].as_u64().unwrap();
        assert_eq!((brought, &done["rejected"]), (people, &0.into()), "{file}: {done}");
        assert_eq!(done["assumed"]["keys"][form], people, "{file}: {done}");
    }
    let refused = add(&place, "mysql://x:secret@127.0.0.1/shop", "roster.toml");
    let refused = run(refused);
    assert_refused(&refused, "mysql");
    assert!(!String::from_utf8_lossy(&refused.stderr).contains("secret"));

    // A row that was not taken is a person who may exist, until its source is brought whole.
    assert!(rows_not_taken(&place).is_empty());
    let file = place.file("customers.csv");
    let roster = fs::read_to_string(fixture(&place, "roster.csv")).unwrap();
    fs::write(&file, roster.replacen("\n2,", "\n,", 1).replacen("\n3,", "\n1,", 1)).unwrap();
    let said = stdout(&run(add(&place, &file, "roster.toml")));
    assert!(said.contains("rejected  2") && said.contains("may be a person"), "{said}");
    assert!(said.contains("countries: 19 as two letters"), "{said}");
    assert_eq!(rows_not_taken(&place), [2]);
    let listed = stdout(&place.run(["table", "list"]));
    assert!(listed.contains("2 rows were not taken from"), "{listed}");
    fs::write(&file, roster).unwrap();
    assert_eq!(json(add(&place, &file, "roster.toml"))["rejected"], 0);
    assert!(rows_not_taken(&place).is_empty());
}

/// Half the rows are behind a policy: the copy is refused, as by `pg_dump`.
#[tokio::test(flavor = "multi_thread")]
async fn rows_behind_a_policy_are_not_passed_over() {
    let place = Place::new();
    let _up = Up::start(&place);
    let database = Database::create().await;
    let reader = format!("reader_{}", std::process::id());
    let columns = "full_name TEXT, email TEXT, phone TEXT, street TEXT, town TEXT, country TEXT,
                   state TEXT, pw_hash TEXT";
    let policy = fs::read_to_string(fixture(&place, "48-row-security.sql")).unwrap();
    let policy = policy.replace("reader", &reader);
    let setup = format!(
        "CREATE ROLE {reader} LOGIN; CREATE TABLE customer (id INT, {columns}); {policy};
         INSERT INTO c (id) SELECT generate_series(1, 4)"
    );
    let mut owner = PgConnection::connect(&database.url()).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(setup)).execute(&mut owner).await.unwrap();
    let url = database.url().replacen("postgres@", &format!("{reader}@"), 1);
    let mut add = add(&place, &url, "roster.toml");
    add.args(["--table", "c"]);
    assert_refused(&run(add), "row-level security");
    let end = format!("DROP TABLE c; DROP ROLE {reader}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(end)).execute(&mut owner).await.unwrap();
}
