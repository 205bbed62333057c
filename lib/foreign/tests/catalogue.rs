//! Narrowness by a catalogue and by the definitions in a log: a view, a partition or a copy counts
//! for what it reads if that is known, and for everybody otherwise.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed step is a failed test")]

use cofferdam_core::{Field, Operation, Whose};
use cofferdam_foreign::{Catalogue, Item, LogMapping, LogReader, read_definitions};
use serde_json::{Value, json};

const MAPPING: &str = r#"
    format = "pgaudit-csv"
    catalogue = "catalogue.json"
    other_relations = ["public.orders"]
    other_functions = ["public.tax"]
    [[table]]
    name = "public.customer"
    key = "id"
    email = "email"
    fields = { full_name = "name", email = "email", phone = "phone" }
    harmless = ["created_at"]
"#;

const ALL: &str = "name,email,phone";

fn relation(name: &str, kind: &str, columns: &[&str]) -> Value {
    let (schema, name) = name.split_once('.').unwrap();
    let column = |of: &&str| {
        let (name, of_type) = of.split_once(' ').unwrap_or((of, "text"));
        json!({ "name": name, "type": of_type, "deterministic": true, "generated_from": null })
    };
    json!({
        "schema": schema, "name": name, "kind": kind, "row_security": false, "primary_key": [],
        "columns": columns.iter().map(column).collect::<Vec<_>>(), "references": [], "parents": [],
        "query": null, "reads": []
    })
}

fn view(name: &str, kind: &str, query: &str) -> Value {
    let mut view = relation(name, kind, &[]);
    view["query"] = json!(query);
    view
}

fn child(name: &str, parent: &str) -> Value {
    let mut child = relation(name, "table", &["id integer", "full_name", "email", "phone"]);
    let (schema, name) = parent.split_once('.').unwrap();
    child["parents"] = json!([{ "schema": schema, "name": name }]);
    child
}

/// The catalogue of a small shop.
fn catalogue() -> Value {
    let customer = ["id integer", "full_name", "email", "phone", "created_at date", "display"];
    let mut customer = relation("public.customer", "table", &customer);
    customer["columns"][5]["generated_from"] = json!(["full_name"]);
    let from = |what: &str| format!(" SELECT {what}\n   FROM public.customer c;");
    json!({
        "version": 1, "taken": "2026-11-20T00:00:00Z", "database": "shop",
        "search_path": "\"$user\", public",
        "functions": [
            { "schema": "public", "name": "tax", "language": "sql", "extension": false },
            { "schema": "public", "name": "upper", "language": "sql", "extension": false },
            { "schema": "public", "name": "lower", "language": "c", "extension": true },
        ],
        "relations": [
            customer,
            relation("public.orders", "table", &["id integer", "who integer", "total numeric"]),
            relation("public.customer_2011", "table", &["id integer", "email"]),
            relation("shop.orders", "table", &["id integer", "email"]),
            relation("public.orders_id_seq", "sequence", &[]),
            child("public.customer_vip", "public.customer"),
            child("public.customer_vip_old", "public.customer_vip"),
            view("public.contact", "view", &from("c.id, c.email")),
            view("public.contact_copy", "materialized_view", &from("c.id, c.email")),
            view("public.domains", "view", " SELECT contact.email FROM public.contact;"),
            view("public.per_day", "view", &from("c.created_at, count(*) AS n").replace(';', " GROUP BY c.created_at;")),
            view("public.odd", "view", " SELECT odd.email FROM public.customer_2011 odd;"),
            view("public.coded", "view", &from("public.leak(c.id)")),
        ]
    })
}

fn mapping_with(catalogue: &Value, mapping: &str) -> Result<LogMapping, String> {
    let mut mapping = LogMapping::parse(mapping).unwrap();
    let catalogue = Catalogue::parse(&catalogue.to_string()).unwrap();
    mapping.set_catalogue(catalogue).map_err(|e| e.to_string())?;
    Ok(mapping)
}

/// A line of a `csvlog`.
fn row(class: &str, command: &str, object: &str, text: &str) -> String {
    let text = text.replace('"', "\"\"\"\"");
    let message =
        format!("AUDIT: SESSION,1,1,{class},{command},TABLE,{object},\"\"{text}\"\",<none>");
    format!(
        "2026-11-24 00:35:01.123 UTC,\"app\",\"shop\",99,\"10.0.0.5:4711\",,,\"SELECT\",\
         2026-11-24 00:00:00 UTC,3/2,0,LOG,00000,\"{message}\",,,,,,,,,\"web\",\"client \
         backend\",,0\n"
    )
}

/// Reads a log with its definitions, and shows what it counts as.
fn counted(mapping: &LogMapping, log: &str) -> String {
    let mut mapping = mapping.clone();
    read_definitions(&mut mapping, log.as_bytes()).unwrap();
    let mut found = Vec::new();
    let read = LogReader::new(mapping).read(log.as_bytes(), &mut |item| {
        match item {
            Item::Access(access) => {
                let fields: Vec<_> = access.fields.iter().map(Field::as_str).collect();
                let whose = match access.whose {
                    Whose::Keys(keys) => keys.iter().map(|k| k.expose().to_owned()).collect(),
                    Whose::Emails(_) => vec!["emails".to_owned()],
                    Whose::Everybody { .. } => vec!["everybody".to_owned()],
                };
                if access.operation == Operation::Release {
                    found.push(format!("{} of {}", fields.join(","), whose.join(",")));
                }
            }
            Item::Bad { why, .. } => panic!("{why}"),
            _ => {}
        }
        Ok::<_, ()>(())
    });
    read.unwrap();
    found.dedup();
    found.join("; ")
}

fn read(mapping: &LogMapping, object: &str, text: &str) -> String {
    counted(mapping, &row("READ", "SELECT", object, text))
}

#[test]
fn a_condition_on_an_address_narrows_through_views() {
    let mapping = mapping_with(&catalogue(), MAPPING).unwrap();
    for (object, text, expected) in [
        ("public.domains", "SELECT * FROM domains WHERE email = 'a@b.c'", "email of emails"),
        (
            "public.contact",
            "SELECT email FROM contact WHERE lower(email) = 'a@b.c'",
            "email of emails",
        ),
        (
            "public.contact_copy",
            "SELECT email FROM contact_copy WHERE email IN ('a@b.c', 'd@b.c')",
            "email of emails",
        ),
        (
            "public.contact",
            "SELECT k.m FROM (SELECT c.email AS m FROM contact c) k WHERE k.m = 'a@b.c'",
            "email of emails",
        ),
        (
            "public.contact",
            "SELECT email FROM contact WHERE email = 'a@b.c' OR id = 7",
            "email of 7; email of emails",
        ),
        (
            "public.contact",
            "SELECT upper FROM (SELECT left(email, 3) AS upper FROM contact) k WHERE upper = 'a@b.c'",
            "email of everybody",
        ),
        (
            "public.contact",
            "SELECT a.email FROM contact a, contact b WHERE b.email = 'a@b.c'",
            "email of everybody; email of emails",
        ),
        (
            "public.contact",
            "SELECT email FROM (SELECT email FROM contact LIMIT 1) k WHERE email = 'a@b.c'",
            "email of everybody",
        ),
    ] {
        assert_eq!(read(&mapping, object, text), expected, "{object} {text}");
    }
}

#[test]
fn what_the_catalogue_knows_counts_for_what_it_reads() {
    let mapping = mapping_with(&catalogue(), MAPPING).unwrap();
    for (object, text, expected) in [
        // A view, its table, a materialized view, and a view of a view.
        ("public.contact", "SELECT * FROM contact", "email of everybody"),
        ("public.customer", "SELECT * FROM contact", "email of everybody"),
        ("public.contact_copy", "SELECT * FROM contact_copy", "email of everybody"),
        ("public.domains", "SELECT * FROM domains", "email of everybody"),
        ("public.per_day", "SELECT * FROM per_day", ""),
        ("public.customer", "SELECT * FROM per_day", ""),
        ("", "SELECT * FROM public.contact, per_day", "email of everybody"),
        // A condition on a view's column is one on the table's.
        ("public.contact", "SELECT email FROM contact WHERE id = 7", "email of 7"),
        ("public.customer", "SELECT email FROM contact WHERE id = 7", "email of 7"),
        ("public.contact_copy", "SELECT c.email FROM contact_copy c WHERE c.id = 7", "email of 7"),
        ("public.contact", "SELECT email FROM contact WHERE email = 'x'", "email of everybody"),
        (
            "public.customer",
            "SELECT a.email FROM contact a, contact b WHERE b.id = 7",
            "email of everybody; email of 7",
        ),
        // Partitions and heirs, at any depth.
        ("public.customer_vip", "SELECT email FROM customer_vip WHERE id = 7", "email of 7"),
        (
            "public.customer_vip_old",
            "SELECT email FROM customer_vip_old WHERE id = 7",
            "email of 7",
        ),
        // Columns of relations without customers' data, and generated ones.
        (
            "public.customer",
            "SELECT total FROM customer c JOIN public.orders o ON o.who = c.id WHERE c.id = 7",
            "",
        ),
        ("public.customer", "SELECT display FROM customer WHERE id = 7", "name of 7"),
        ("public.orders_id_seq", "SELECT last_value FROM orders_id_seq", ""),
        // A name that several schemas have means the relation that the line is about.
        ("public.orders", "SELECT total FROM orders", ""),
        ("public.customer", "SELECT phone FROM customer c, orders o WHERE c.id = 7", ""),
    ] {
        let found = read(&mapping, object, text);
        // A line about a table counts for the whole of it while another name is ambiguous.
        let ambiguous = text.contains("customer c, orders o");
        let expected = if ambiguous { format!("{ALL} of everybody") } else { expected.to_owned() };
        assert_eq!(found, expected, "{object}: {text}");
    }
}

#[test]
fn what_the_catalogue_does_not_know_counts_for_everybody() {
    let mapping = mapping_with(&catalogue(), MAPPING).unwrap();
    for (object, text) in [
        // A copy, views of it, and views that run the shop's code.
        ("public.customer_2011", "SELECT email FROM customer_2011 WHERE id = 7"),
        ("public.odd", "SELECT * FROM odd"),
        ("public.coded", "SELECT * FROM coded"),
        ("public.customer_2013", "SELECT email FROM customer_2013 WHERE id = 7"),
        ("shop.orders", "SELECT * FROM shop.orders"),
        ("", "SELECT total FROM orders"),
        // A view that the statement does not name, as one that a policy reads.
        ("public.contact", "SELECT 1"),
        ("public.customer", "UPDATE contact SET email = 'x' RETURNING *"),
        // The shop's own function hides one of PostgreSQL's.
        ("public.customer", "SELECT upper(phone) FROM customer WHERE id = 7"),
    ] {
        let found = read(&mapping, object, text);
        assert!(
            found.contains("everybody") && found.contains("email"),
            "{object}: {text}: {found}"
        );
    }
    let lower = "SELECT lower(phone) FROM customer WHERE id = 7";
    assert_eq!(read(&mapping, "public.customer", lower), "phone of 7", "an extension's is known");
}

#[test]
fn a_key_that_equals_several_names_nobody() {
    for of_type in ["citext", "double precision", "character", "date"] {
        let mut catalogue = catalogue();
        catalogue["relations"][0]["columns"][0]["type"] = json!(of_type);
        let mapping = mapping_with(&catalogue, MAPPING).unwrap();
        let found = read(&mapping, "public.customer", "SELECT phone FROM customer WHERE id = 'ab'");
        assert_eq!(found, "phone of everybody", "{of_type}");
    }
}

const EVERYBODY: &str = "name,email,phone of everybody";
const CONTACT: &str = "SELECT * FROM contact";
const ORDERS: &str = "SELECT id FROM public.orders";

/// Definitions, each with the object and the text of a statement, and what that counts as then.
const DEFINITIONS: &[(&str, &str, &str, &str)] = &[
    // A view that the log defines, and one that it defines otherwise: both definitions count.
    (
        "CREATE VIEW phones AS SELECT id, phone FROM customer",
        "public.phones",
        "SELECT * FROM phones",
        "phone of everybody",
    ),
    (
        "CREATE OR REPLACE VIEW contact AS SELECT id, phone FROM public.customer",
        "public.contact",
        CONTACT,
        "email of everybody; phone of everybody",
    ),
    ("CREATE VIEW v AS SELECT leak(id) FROM customer", "public.v", "TABLE v", EVERYBODY),
    ("CREATE TEMP VIEW contact AS SELECT 1", "public.contact", CONTACT, EVERYBODY),
    // Names that change hands.
    ("ALTER TABLE orders RENAME TO old", "public.orders", ORDERS, ""),
    ("ALTER TABLE public.orders RENAME TO old", "public.old", "SELECT id FROM old", ""),
    (
        "ALTER TABLE public.customer RENAME TO c2",
        "public.c2",
        "SELECT phone FROM c2 WHERE id = 7",
        "phone of 7",
    ),
    ("ALTER TABLE public.customer RENAME TO orders", "public.orders", ORDERS, EVERYBODY),
    (
        "ALTER TABLE orders RENAME TO x; ALTER TABLE customer RENAME TO orders",
        "public.orders",
        ORDERS,
        EVERYBODY,
    ),
    (
        "ALTER TABLE customer RENAME COLUMN phone TO created_at",
        "public.customer",
        "SELECT created_at FROM customer WHERE id = 7",
        EVERYBODY,
    ),
    ("ALTER TABLE orders SET SCHEMA shop", "public.orders", ORDERS, EVERYBODY),
    ("DROP TABLE public.orders", "public.orders", ORDERS, EVERYBODY),
    ("DROP TABLE x CASCADE", "public.orders", ORDERS, EVERYBODY),
    ("CREATE TABLE public.orders AS SELECT * FROM x", "public.orders", ORDERS, EVERYBODY),
    ("SELECT 1 AS id INTO orders", "public.orders", ORDERS, EVERYBODY),
    ("CREATE TEMP TABLE orders (id int)", "public.orders", ORDERS, EVERYBODY),
    ("ALTER SYSTEM SET x = 'y'", "public.orders", ORDERS, EVERYBODY),
    ("CREATE RULE r AS ON INSERT TO x DO NOTHING", "public.orders", ORDERS, EVERYBODY),
    // Partitions.
    (
        "CREATE TABLE customer_2014 PARTITION OF public.customer FOR VALUES FROM (1) TO (2)",
        "public.customer_2014",
        "SELECT phone FROM customer_2014 WHERE id = 7",
        "phone of 7",
    ),
    (
        "ALTER TABLE public.customer ATTACH PARTITION n FOR VALUES FROM (1) TO (2)",
        "public.n",
        "SELECT phone FROM n WHERE id = 7",
        "phone of 7",
    ),
    ("ALTER TABLE orders ATTACH PARTITION customer DEFAULT", "public.orders", ORDERS, EVERYBODY),
    ("ALTER TABLE public.orders INHERIT x", "public.orders", ORDERS, EVERYBODY),
    // Code.
    (
        "CREATE FUNCTION tax(n int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "public.customer",
        "SELECT tax(1) FROM customer WHERE id = 7",
        EVERYBODY,
    ),
    // Definitions that leave names as they are.
    ("CREATE TABLE IF NOT EXISTS public.orders (id int)", "public.orders", ORDERS, ""),
    ("CREATE INDEX ON public.orders (id)", "public.orders", ORDERS, ""),
    ("ALTER TABLE public.orders ADD COLUMN note text", "public.orders", ORDERS, ""),
    ("CREATE TABLE x (id int)", "public.orders", ORDERS, ""),
    ("COMMENT ON TABLE orders IS 'x'", "public.orders", ORDERS, ""),
];

#[test]
fn definitions_in_the_log_change_what_names_mean() {
    let mapping = mapping_with(&catalogue(), MAPPING).unwrap();
    for (definition, object, text, expected) in DEFINITIONS {
        let words: Vec<_> = definition.split(' ').collect();
        let command = match words[..] {
            ["COMMENT", ..] => "COMMENT".to_owned(),
            ["SELECT", ..] => "SELECT INTO".to_owned(),
            _ => words[..2].join(" "),
        };
        let define = row("DDL", &command, "", definition);
        let line = row("READ", "SELECT", object, text);
        // A definition counts before it and after it: its transaction may have been rolled back.
        for log in [format!("{define}{line}"), format!("{line}{define}")] {
            assert_eq!(counted(&mapping, &log), *expected, "{definition}: {text}");
        }
    }
}

#[test]
fn a_definition_also_changes_the_names_of_a_mapping_without_a_catalogue() {
    let mapping = LogMapping::parse(MAPPING).unwrap();
    let swap = row("DDL", "ALTER TABLE", "", "ALTER TABLE customer RENAME TO orders");
    let log = row("READ", "SELECT", "public.orders", "SELECT id FROM orders") + &swap;
    assert_eq!(counted(&mapping, &log), format!("{ALL} of everybody"));
}

#[test]
fn a_mapping_that_the_catalogue_contradicts_is_refused() {
    let mut with_parent = catalogue();
    with_parent["relations"][0]["parents"] = json!([{ "schema": "public", "name": "party" }]);
    for (catalogue, from, to, fault) in [
        (catalogue(), "public.customer", "public.custmer", "no such table"),
        (catalogue(), "phone =", "tel =", "no column tel"),
        (catalogue(), "\"created_at\"", "\"craeted_at\"", "no column craeted_at"),
        (catalogue(), "public.orders", "public.contact", "public.contact reads customers' data"),
        (with_parent, "public.orders", "public.party", "public.party has the rows of"),
    ] {
        let fault_found = mapping_with(&catalogue, &MAPPING.replace(from, to)).unwrap_err();
        assert!(fault_found.contains(fault), "{fault_found}");
    }
    let per_day = MAPPING.replace("public.orders", "public.per_day");
    mapping_with(&catalogue(), &per_day).unwrap();
}

#[test]
fn other_texts_are_no_catalogue() {
    let mut old = catalogue();
    old["version"] = json!(0);
    for text in [String::new(), "{}".to_owned(), old.to_string()] {
        assert!(Catalogue::parse(&text).is_err(), "{text}");
    }
}
