//! Rows whose customer's key is in another table: they are narrowed only where a unique key proves that
//! each of them leads to one customer.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed step is a failed test")]

use cofferdam_core::{Operation, Whose};
use cofferdam_foreign::{Catalogue, Item, LogMapping, LogReader, read_definitions};
use serde_json::{Value, json};

const MAPPING: &str = r#"
    format = "pgaudit-csv"
    catalogue = "catalogue.json"
    other_relations = ["public.orders", "public.item", "old.orders"]
    [[table]]
    name = "public.customer"
    key = "id"
    email = "email"
    fields = { email = "email" }
    [[table]]
    name = "public.order_address"
    through = [{ column = "order_id", table = "public.orders", id = "id" }]
    key = "customer_id"
    fields = { street = "shipping_address" }
    [[table]]
    name = "public.engraving"
    through = [
        { column = "item_id", table = "public.item", id = "id" },
        { column = "order_id", table = "public.orders", id = "id" },
    ]
    key = "customer_id"
    fields = { words = "name" }
"#;

fn relation(name: &str, kind: &str, columns: &[&str], unique: &[&str]) -> Value {
    let column = |of: &&str| {
        let (name, of_type) = of.split_once(' ').unwrap_or((of, "integer"));
        json!({ "name": name, "type": of_type, "deterministic": true, "generated_from": null })
    };
    json!({
        "schema": "public", "name": name, "kind": kind, "row_security": false, "primary_key": [],
        "unique": unique.iter().map(|of| of.split(' ').collect::<Vec<_>>()).collect::<Vec<_>>(),
        "columns": columns.iter().map(column).collect::<Vec<_>>(), "references": [], "parents": [],
        "query": null, "reads": []
    })
}

fn catalogue() -> Value {
    json!({
        "version": 1, "taken": "2026-11-20T00:00:00Z", "database": "shop", "search_path": "public",
        "functions": [],
        "relations": [
            relation("orders", "table", &["id", "customer_id", "number text"], &["id"]),
            relation("customer", "table", &["id", "email text"], &["id"]),
            relation("order_address", "table", &["id", "order_id", "street text"], &["id"]),
            relation("item", "table", &["id", "order_id"], &["id"]),
            relation("engraving", "table", &["item_id", "words text"], &[]),
        ]
    })
}

fn mapping_with(catalogue: &Value) -> Result<LogMapping, String> {
    let mut mapping = LogMapping::parse(MAPPING).unwrap();
    let catalogue = Catalogue::parse(&catalogue.to_string()).unwrap();
    mapping.set_catalogue(catalogue).map_err(|e| e.to_string())?;
    Ok(mapping)
}

fn row(class: &str, command: &str, object: &str, text: &str) -> String {
    format!(
        "2026-11-24 00:35:01.123 UTC,\"app\",\"shop\",99,\"10.0.0.5:4711\",,,\"SELECT\",\
         2026-11-24 00:00:00 UTC,3/2,0,LOG,00000,\"AUDIT: SESSION,1,1,{class},{command},TABLE,{object},\
         \"\"{text}\"\",<none>\",,,,,,,,,\"web\",\"client backend\",,0\n"
    )
}

/// The people whose shipping addresses and names a log counts as read, and as come in.
fn counted(mapping: &LogMapping, log: &str) -> String {
    let mut mapping = mapping.clone();
    read_definitions(&mut mapping, log.as_bytes()).unwrap();
    let mut found = Vec::new();
    let read = LogReader::new(mapping).read(log.as_bytes(), &mut |item| {
        if let Item::Access(access) = item {
            let whose = match access.whose {
                Whose::Keys(of) | Whose::Emails(of) => {
                    of.iter().map(|k| k.expose().to_owned()).collect::<Vec<_>>().join(",")
                }
                Whose::Everybody { .. } => "everybody".to_owned(),
            };
            found.push(match access.operation {
                Operation::Release => whose,
                _ => format!("in {whose}"),
            });
        }
        Ok::<_, ()>(())
    });
    read.unwrap();
    found.dedup();
    found.join("; ")
}

fn read(mapping: &LogMapping, text: &str) -> String {
    counted(mapping, &row("READ", "SELECT", "public.order_address", text))
}

/// Of the customers' table, the address names the customer of each row with the same key.
#[test]
fn an_address_names_the_rows_of_a_joined_table() {
    let text = "SELECT a.street FROM customer c JOIN orders o ON o.customer_id = c.id JOIN order_address a \
        ON a.order_id = o.id WHERE c.email = 'a@b.c'";
    let shown = |catalogue: &Value| read(&mapping_with(catalogue).unwrap(), text);
    assert_eq!(shown(&catalogue()), "a@b.c");
    let mut several = catalogue();
    several["relations"][1]["unique"] = json!([]);
    assert_eq!(shown(&several), "everybody");
}

const JOINED: &str = "SELECT a.street FROM order_address a JOIN orders o ON o.id = a.order_id WHERE o.customer_id = 7";

#[test]
fn the_customer_of_an_order_is_that_of_its_rows() {
    let mapping = mapping_with(&catalogue()).unwrap();
    for (text, expected) in [
        (JOINED, "7"),
        (
            "SELECT a.street FROM orders o LEFT JOIN public.order_address a ON a.order_id = o.id WHERE o.customer_id IN (7, 8)",
            "7,8",
        ),
        (
            "SELECT street FROM order_address WHERE order_id IN (SELECT id FROM orders WHERE customer_id = 7)",
            "7",
        ),
        (
            "SELECT street FROM order_address WHERE order_id = (SELECT o.id FROM orders o WHERE o.customer_id = 7 LIMIT 1)",
            "7",
        ),
        (
            "SELECT a.street FROM customer c JOIN orders o ON o.customer_id = c.id JOIN order_address a ON a.order_id = o.id WHERE c.id = 7",
            "7",
        ),
        (
            "SELECT a.street FROM customer c JOIN orders o ON o.customer_id = c.id JOIN order_address a ON a.order_id = o.id WHERE c.email = 'a@b.c'",
            "a@b.c",
        ),
        (
            "SELECT x.street FROM (SELECT order_id, street FROM order_address) x JOIN orders o ON o.id = x.order_id WHERE o.customer_id = 7",
            "7",
        ),
        ("SELECT id, order_id FROM order_address", "everybody"),
        ("SELECT order_id FROM order_address", ""),
    ] {
        assert_eq!(read(&mapping, text), expected, "{text}");
    }
    let two = "SELECT e.words FROM engraving e JOIN item i ON i.id = e.item_id JOIN orders o ON o.id = i.order_id WHERE o.customer_id = 7";
    assert_eq!(counted(&mapping, &row("READ", "SELECT", "public.engraving", two)), "7");
}

#[test]
fn a_row_that_may_belong_to_another_order_counts_for_everybody() {
    let mapping = mapping_with(&catalogue()).unwrap();
    for text in [
        "SELECT street FROM order_address WHERE order_id = 1001",
        "SELECT street FROM order_address WHERE customer_id = 7",
        "SELECT a.street FROM order_address a JOIN orders o ON o.id >= a.order_id WHERE o.customer_id = 7",
        "SELECT a.street FROM order_address a JOIN orders o ON o.id = a.id WHERE o.customer_id = 7",
        "SELECT a.street FROM order_address a JOIN orders o ON o.number = a.order_id::text WHERE o.customer_id = 7",
        "SELECT a.street FROM order_address a LEFT JOIN orders o ON o.id = a.order_id AND o.customer_id = 7",
        "SELECT a.street FROM order_address a FULL JOIN orders o ON o.id = a.order_id AND o.customer_id = 7",
        "SELECT a.street FROM order_address a JOIN orders o ON o.id = a.order_id OR o.id = 1 WHERE o.customer_id = 7",
        "SELECT a.street FROM order_address a JOIN orders o ON o.id = a.order_id JOIN orders p ON true WHERE p.customer_id = 7",
        // The names of the columns are others, or the name is that of another relation.
        "SELECT a.street FROM order_address a JOIN orders o (x, customer_id, id) ON o.id = a.order_id WHERE o.customer_id = 7",
        "SELECT a.street FROM order_address a JOIN (SELECT 7 AS customer_id, id FROM orders) o ON o.id = a.order_id WHERE o.customer_id = 7",
        "WITH orders AS (SELECT 1 AS id, 7 AS customer_id) SELECT a.street FROM order_address a JOIN orders o ON o.id = a.order_id WHERE o.customer_id = 7",
        "SELECT a.street FROM order_address a JOIN old.orders o ON o.id = a.order_id WHERE o.customer_id = 7",
        "SELECT street FROM order_address WHERE order_id NOT IN (SELECT id FROM orders WHERE customer_id = 7)",
    ] {
        assert_eq!(read(&mapping, text), "everybody", "{text}");
    }
    let one =
        "SELECT e.words FROM engraving e JOIN orders o ON o.id = e.item_id WHERE o.customer_id = 7";
    assert_eq!(counted(&mapping, &row("READ", "SELECT", "public.engraving", one)), "everybody");
}

#[test]
fn a_row_that_comes_in_counts_for_everybody_without_its_order() {
    let mapping = mapping_with(&catalogue()).unwrap();
    let write =
        |command, text| counted(&mapping, &row("WRITE", command, "public.order_address", text));
    let insert = "INSERT INTO order_address (order_id, street) VALUES (1001, 'x')";
    assert_eq!(write("INSERT", insert), "in everybody");
    let update = "UPDATE order_address a SET street = 'x' FROM orders o WHERE o.id = a.order_id AND o.customer_id = 7";
    assert_eq!(write("UPDATE", update), "in 7");
}

#[test]
fn a_way_that_the_catalogue_does_not_prove_is_refused() {
    type Change = fn(&mut Value);
    let changes: [(&str, Change); 8] = [
        ("no key", |of| of["relations"][0]["unique"] = json!([])),
        ("an old catalogue", |of| {
            of["relations"][0].as_object_mut().unwrap().remove("unique");
        }),
        ("a key of two columns", |of| of["relations"][0]["unique"] = json!([["id", "number"]])),
        ("a view", |of| of["relations"][0]["kind"] = json!("view")),
        ("a foreign table", |of| of["relations"][0]["kind"] = json!("foreign_table")),
        ("a rounded number", |of| of["relations"][0]["columns"][0]["type"] = json!("real")),
        ("a rounded number here", |of| of["relations"][2]["columns"][1]["type"] = json!("real")),
        ("an heir", |of| {
            let mut heir = relation("orders_2011", "table", &["id", "customer_id"], &["id"]);
            heir["parents"] = json!([{ "schema": "public", "name": "orders" }]);
            of["relations"].as_array_mut().unwrap().push(heir);
        }),
    ];
    for (name, change) in changes {
        let mut catalogue = catalogue();
        change(&mut catalogue);
        let fault = mapping_with(&catalogue).unwrap_err();
        assert!(fault.contains("public.order_address: through: "), "{name}: {fault}");
    }
    let bare = MAPPING.replace("catalogue = \"catalogue.json\"", "");
    let fault = LogMapping::parse(&bare).unwrap_err().to_string();
    assert!(fault.contains("through needs the catalogue"), "{fault}");
}

#[test]
fn partitions_of_a_table_share_its_keys() {
    let mut catalogue = catalogue();
    catalogue["relations"][0]["kind"] = json!("partitioned_table");
    let mut part = relation("orders_2011", "table", &["id", "customer_id"], &["id"]);
    part["parents"] = json!([{ "schema": "public", "name": "orders" }]);
    catalogue["relations"].as_array_mut().unwrap().push(part);
    let mapping = mapping_with(&catalogue).unwrap();
    assert_eq!(read(&mapping, JOINED), "7");
    assert_eq!(read(&mapping, &JOINED.replace("orders", "orders_2011")), "everybody");
}

#[test]
fn a_key_that_the_log_changes_proves_nothing() {
    let mapping = mapping_with(&catalogue()).unwrap();
    for (command, definition, expected) in [
        ("ALTER TABLE", "ALTER TABLE orders DROP CONSTRAINT orders_pkey", "everybody"),
        ("ALTER TABLE", "ALTER TABLE public.orders ADD PRIMARY KEY (id)", "everybody"),
        ("ALTER TABLE", "ALTER TABLE orders ADD COLUMN id int UNIQUE", "everybody"),
        ("CREATE TABLE", "CREATE TABLE orders (id int PRIMARY KEY)", "everybody"),
        ("CREATE TABLE", "CREATE TABLE more () INHERITS (orders)", "everybody"),
        ("ALTER TABLE", "ALTER TABLE more INHERIT orders", "everybody"),
        ("DROP TABLE", "DROP TABLE more", "everybody"),
        ("CREATE TABLE", "CREATE TEMP TABLE orders (id int, customer_id int)", "everybody"),
        (
            "ALTER TABLE",
            "ALTER TABLE orders RENAME TO bills; CREATE TABLE orders (id int)",
            "everybody",
        ),
        // The key of another table, what is no key, and a name that nothing else takes.
        ("ALTER TABLE", "ALTER TABLE orders RENAME TO bills", "7"),
        ("ALTER TABLE", "ALTER TABLE customer DROP CONSTRAINT customer_email_key", "7"),
        ("ALTER TABLE", "ALTER TABLE old.orders DROP CONSTRAINT orders_pkey", "7"),
        ("ALTER TABLE", "ALTER TABLE orders ALTER COLUMN number SET NOT NULL", "7"),
        ("CREATE INDEX", "CREATE INDEX ON orders (customer_id)", "7"),
        ("DROP INDEX", "DROP INDEX orders_customer_id_idx", "7"),
    ] {
        let define = row("DDL", command, "", definition);
        let line = row("READ", "SELECT", "public.order_address", JOINED);
        for log in [format!("{define}{line}"), format!("{line}{define}")] {
            let found = counted(&mapping, &log);
            let found = if found.contains("everybody") { "everybody" } else { &found };
            assert_eq!(found, expected, "{definition}");
        }
    }
}
