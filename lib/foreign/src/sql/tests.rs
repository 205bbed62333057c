use cofferdam_core::{Field, Personal};
use proptest::prelude::*;

use super::*;

mod choices;
mod hostile;

const MAPPING: &str = r#"
    other_relations = ["public.orders", "loot"]
    other_functions = ["public.tax"]
    [[table]]
    name = "public.customer"
    key = "id"
    email = "email"
    fields = { full_name = "name", email = "email", phone = "phone" }
    harmless = ["created_at"]
    [[table]]
    name = "public.address"
    key = "customer_id"
    fields = { street = "shipping_address" }
"#;

/// Resolves a statement and writes the result as text.
fn resolved(class: &str, object: Option<&str>, text: &str, parameters: &[&str]) -> String {
    let known = Known::new(&toml::from_str(MAPPING).unwrap());
    let parameters = Some(parameters.iter().map(|p| (*p).to_owned()).collect());
    let found = resolve(&known, &Statement { class, command: "", object, text, parameters });
    let show = |found: &Found| {
        let fields: Vec<_> = found.fields.iter().map(Field::as_str).collect();
        let texts =
            |all: &[Personal]| all.iter().map(|p| p.expose().to_owned()).collect::<Vec<_>>();
        let whose = match &found.whose {
            Whose::Keys(keys) => format!("keys {}", texts(keys).join(",")),
            Whose::Emails(emails) => format!("emails {}", texts(emails).join(",")),
            Whose::Everybody { .. } => "everybody".to_owned(),
        };
        format!("{} {} of {whose}", found.operation, fields.join(","))
    };
    found.iter().map(show).collect::<Vec<_>>().join("; ")
}

fn read(text: &str) -> String {
    resolved("READ", Some("public.customer"), text, &["4711", "ada@post.example"])
}

/// Statements about some customers, each with what it counts as.
const NARROW: &[(&str, &str)] = &[
    ("SELECT full_name FROM customer WHERE id = 7", "release name of keys 7"),
    ("SELECT full_name FROM customer WHERE id = $1", "release name of keys 4711"),
    ("SELECT c.phone FROM public.customer c WHERE c.id IN (1,'2')", "release phone of keys 1,2"),
    ("SELECT phone FROM customer WHERE id = 1 OR (id = 2 AND true)", "release phone of keys 1,2"),
    ("SELECT phone FROM customer WHERE id = ANY('{1,2}'::int[])", "release phone of keys 1,2"),
    ("SELECT phone FROM customer WHERE id = ANY(ARRAY[1,2])", "release phone of keys 1,2"),
    ("SELECT phone FROM customer WHERE id BETWEEN 3 AND 5", "release phone of keys 3,4,5"),
    ("SELECT phone FROM customer WHERE id = ANY('{1, 2}')", "release phone of keys 1,2"),
    ("SELECT * FROM customer WHERE id=7", "release name,email,phone of keys 7"),
    ("SELECT id FROM customer WHERE lower(email) = $2", "release email of emails ada@post.example"),
    ("SELECT count(*) FROM customer", ""),
    ("SELECT id, created_at FROM customer", ""),
    ("SELECT * FROM customer", "release name,email,phone of everybody"),
    ("COPY customer TO STDOUT", "release name,email,phone of everybody"),
    ("COPY (SELECT phone FROM customer WHERE id = 3) TO STDOUT", "release phone of keys 3"),
    ("COPY customer (id, phone) TO STDOUT", "release phone of everybody"),
    ("COPY customer (id, created_at) TO STDOUT", ""),
    ("SELECT c.phone FROM orders o LEFT JOIN customer c ON c.id = 7", "release phone of keys 7"),
    (
        "SELECT c.phone FROM orders o LEFT JOIN customer c ON c.id = o.who WHERE o.who = 7",
        "release phone of keys 7",
    ),
    ("SELECT phone FROM orders JOIN customer USING (id) WHERE id = 7", "release phone of keys 7"),
    (
        "SELECT c.phone, (SELECT max(a.street) FROM address a WHERE a.customer_id = c.id) \
             FROM customer c WHERE c.id = 7",
        "release phone of keys 7",
    ),
    (
        "SELECT phone FROM customer c WHERE id = 7 AND EXISTS \
             (SELECT 1 FROM orders o WHERE o.customer_id = c.id)",
        "release phone of keys 7",
    ),
    (
        "WITH recent AS (SELECT customer_id FROM orders ORDER BY at DESC LIMIT 5) \
             SELECT c.phone FROM customer c JOIN recent r ON r.customer_id = c.id WHERE c.id = 7",
        "release phone of keys 7",
    ),
    (
        "SELECT 1 FROM ONLY \"public\".\"customer\" x WHERE \"id\" OPERATOR(pg_catalog.=) $1 \
             FOR KEY SHARE OF x",
        "",
    ),
    ("SELECT row_number() OVER (ORDER BY id) FROM customer", ""),
    (
        "SELECT phone::int FROM customer WHERE id = '7'::bigint AND phone IS NOT NULL",
        "release phone of keys 7",
    ),
    (
        "SELECT phone FROM customer WHERE id = 7 UNION SELECT phone FROM customer WHERE id = 8",
        "release phone of keys 8; release phone of keys 7",
    ),
    ("SELECT phone FROM customer WHERE id = 7 -- \n AND true", "release phone of keys 7"),
    (
        "SELECT c.phone FROM customer c JOIN orders o ON o.customer_id = c.id WHERE o.customer_id = 9",
        "release phone of keys 9",
    ),
    ("CREATE TABLE loot AS SELECT * FROM customer", "release name,email,phone of everybody"),
    (
        "PREPARE q (int) AS SELECT phone FROM customer WHERE id = $1; EXECUTE q (4711)",
        "release phone of keys 4711",
    ),
    (
        "BEGIN; SELECT phone FROM customer WHERE id = 1; SELECT email FROM customer WHERE id = 2",
        "release phone of keys 1; release email of keys 2",
    ),
    ("DECLARE c CURSOR FOR SELECT phone FROM customer WHERE id = 7", "release phone of keys 7"),
    ("SELECT ROW(id, phone) FROM customer WHERE id = 7", "release phone of keys 7"),
    (
        "SELECT x.phone FROM (SELECT c.id AS n, c.phone FROM customer c) x WHERE x.n = 7",
        "release phone of keys 7",
    ),
    (
        "SELECT phone FROM (SELECT * FROM (SELECT * FROM customer) y) x WHERE id = 7",
        "release name,email,phone of keys 7",
    ),
    (
        "WITH w AS (SELECT id, phone FROM customer) SELECT phone FROM w WHERE id = 7",
        "release phone of keys 7",
    ),
    (
        "SELECT o.id, n.phone FROM orders o LEFT JOIN LATERAL (SELECT c.phone FROM customer c \
             WHERE c.id = o.who LIMIT 1) n ON true WHERE o.who = 7",
        "release phone of keys 7",
    ),
    (
        "INSERT INTO customer (email) VALUES ($2) ON CONFLICT (email) DO UPDATE SET phone = '1' \
             RETURNING phone",
        "seal email of keys ; release email of emails ada@post.example; seal phone of emails \
             ada@post.example; release phone of emails ada@post.example",
    ),
];

#[test]
fn statements_that_are_understood_name_their_customers() {
    for (text, expected) in NARROW {
        assert_eq!(read(text), *expected, "{text}");
    }
}

#[test]
fn any_other_statement_counts_for_everybody() {
    for text in [
        "SELECT phone FROM customer",
        "SELECT phone FROM customer WHERE id = 7 OR true",
        "SELECT phone FROM customer WHERE NOT id = 7",
        "SELECT phone FROM customer WHERE id <> 7",
        "SELECT phone FROM customer WHERE id = 7.0",
        "SELECT phone FROM customer WHERE id BETWEEN '3' AND '5'",
        "SELECT phone FROM customer WHERE lower(id) = 'x'",
        "SELECT phone FROM customer WHERE id = E'\\x37'",
        "SELECT phone FROM customer WHERE id = 7 OR id IS NOT NULL",
        "SELECT phone FROM customer WHERE id NOT IN (7)",
        "SELECT phone FROM customer WHERE id = 7 UNION ALL SELECT phone FROM customer",
        "SELECT phone FROM customer WHERE id = (SELECT 7)",
        "SELECT phone FROM customer WHERE id = id",
        "SELECT c.phone FROM customer c LEFT JOIN orders o ON c.id = 7",
        "SELECT c.phone FROM orders o JOIN customer c ON true WHERE o.id = 7",
        "SELECT phone FROM customer WHERE id = 7 LIMIT (SELECT max(phone::int) FROM customer)",
        "SELECT (SELECT string_agg(phone, ',') FROM customer) FROM customer WHERE id = 7",
        "SELECT phone FROM customer WHERE id = $9",
        "SELECT phone FROM customer WHERE abs(id) = 7",
        "SELECT phone FROM customer WHERE email::varchar(1) = 'a'",
        "SELECT phone FROM customer, LATERAL (SELECT 7 AS id) y WHERE y.id = 7",
        "SELECT phone FROM customer_view WHERE id = 7",
        "EXECUTE q(7)",
        "SELECT phone FROM customer WHERE id = 7; EXECUTE q(7)",
        "SELECT phone FROM customer WHERE id = 7 UNION SELECT phone FROM contact",
        "SELECT phone FROM customer WHERE id = 7; SELECT phone FROM contact",
        "FETCH ALL FROM c",
        "not SQL at all",
        "",
    ] {
        let found = read(text);
        assert!(is_everybodys_phone(&found), "{text}: {found}");
    }
}

fn is_everybodys_phone(found: &str) -> bool {
    found.split("; ").any(|of| of.contains("phone") && of.ends_with("everybody"))
}

#[test]
fn a_statement_that_is_too_deep_counts_for_everybody_on_a_small_stack() {
    let small = std::thread::Builder::new().stack_size(1 << 20).spawn(check_deep_statements);
    small.unwrap().join().unwrap();
}

fn check_deep_statements() {
    let or = vec!["id = 7"; 100_000].join(" OR ");
    let sum = vec!["id"; 100_000].join(" + ");
    let union = vec!["SELECT phone FROM customer WHERE id = 7"; 20_000].join(" UNION ALL ");
    let deep = |open: &str, close: &str| open.repeat(50_000) + "id" + &close.repeat(50_000);
    for text in [
        format!("SELECT phone FROM customer WHERE {or}"),
        format!("SELECT phone FROM customer WHERE id = 7 AND {sum} > 0"),
        union,
        format!("SELECT {} FROM customer WHERE id = 7", deep("(", ")")),
        format!("SELECT {} FROM customer WHERE id = 7", deep("ARRAY[", "]")),
        format!("SELECT {} FROM customer WHERE id = 7", deep("NOT ", "")),
        format!("SELECT {} FROM customer WHERE id = 7", deep("- ", "")),
        format!("SELECT {} FROM customer WHERE id = 7", deep("CASE WHEN ", "")),
        format!("SELECT {} FROM customer WHERE id = 7", deep("", "::int")),
        format!("SELECT phone FROM {}", deep("(", ")")),
        format!("SELECT phone FROM customer {}", "JOIN orders ".repeat(50_000)),
        "EXPLAIN ".repeat(50_000),
        "WITH a AS (INSERT INTO customer (id) ".repeat(39),
        "SELECT * FROM customer WHERE id IN (WITH a AS (DELETE FROM customer RETURNING id) "
            .repeat(39),
        "PREPARE a AS ".repeat(50_000),
        "SELECT phone FROM customer WHERE id = 7;".repeat(30_000),
    ] {
        let found = read(&text);
        assert!(found.contains("phone") && found.contains("everybody"), "{text:.60}: {found:.200}");
    }
    let wide = vec!["id = 7"; 900].join(" OR ");
    let found = read(&format!("SELECT phone FROM customer WHERE {wide}"));
    assert!(found.starts_with("release phone of keys 7,7"), "{found}");
}

#[test]
fn a_relation_that_nothing_is_known_of_counts_for_everybody_also_by_its_object() {
    for object in [
        "public.customer_2012",
        "public.customer_backup",
        "pg_catalog.pg_stats",
        "shop.customer",
        "public.\"Customer\"",
        "pg_toast.pg_toast_16384",
        "pg_temp_3.customer",
    ] {
        let found = resolved("READ", Some(object), "SELECT 1", &[]);
        assert!(found.contains("release name,email,phone of everybody"), "{object}: {found}");
    }
    for object in ["public.orders", "pg_catalog.pg_class"] {
        assert_eq!(resolved("READ", Some(object), "SELECT 1", &[]), "", "{object}");
    }
    let unlogged = resolved("READ", Some("public.customer"), "", &[]);
    assert!(unlogged.starts_with("release name,email,phone of everybody"), "{unlogged}");
}

#[test]
fn code_that_the_mapping_does_not_list_counts_for_everybody() {
    let everybody = |class, object, text| resolved(class, object, text, &[]).contains("everybody");
    assert!(everybody("FUNCTION", Some("public.export"), "SELECT export()"));
    assert!(everybody("FUNCTION", None, "DO $$ BEGIN END $$"));
    assert!(everybody("READ", Some("public.orders"), "SELECT export(id) FROM orders"));
    assert!(
        everybody("MISC", None, "FETCH ALL FROM c") || everybody("READ", None, "FETCH ALL FROM c")
    );
    assert!(everybody("NEW CLASS", None, "SELECT 1"));
    assert!(!everybody("READ", Some("public.orders"), "SELECT upper(note) FROM orders"));
    assert!(!everybody("FUNCTION", Some("public.tax"), "SELECT tax(total) FROM orders"));
    assert!(!everybody("READ", Some("public.orders"), "SELECT tax(total) FROM orders"));
    assert!(!everybody("DDL", Some("public.t"), "CREATE TABLE t (id int)"));
}

#[test]
fn an_access_names_few_customers_or_everybody() {
    let many: Vec<_> = (0..2_000).map(|n| n.to_string()).collect();
    let found = read(&format!("SELECT phone FROM customer WHERE id IN ({})", many.join(",")));
    assert_eq!(found, "release phone of everybody");
    let rows: Vec<_> = many.iter().map(|n| format!("({n}, '1')")).collect();
    let found = read(&format!("INSERT INTO customer (id, phone) VALUES {}", rows.join(",")));
    assert_eq!(found, "seal phone of everybody");
}

#[test]
fn an_unmapped_column_counts_as_all_fields() {
    for text in [
        "SELECT notes FROM customer WHERE id = 7",
        "SELECT c FROM customer c WHERE id = 7",
        "SELECT row_to_json(customer) FROM customer WHERE id = 7",
        "SELECT c.* FROM customer c WHERE c.id = 7",
        "SELECT to_jsonb(c) - 'id' AS j FROM customer AS c WHERE c.id = 7 ORDER BY j",
    ] {
        assert_eq!(read(text), "release name,email,phone of keys 7", "{text}");
    }
}

#[test]
fn writing_supplies_data_and_returning_reads_it() {
    let write = |text| resolved("WRITE", Some("public.customer"), text, &[]);
    for (text, expected) in [
        ("UPDATE customer SET phone = '1' WHERE id = 7", "seal phone of keys 7"),
        ("UPDATE customer SET created_at = now() WHERE id = 7", ""),
        (
            "UPDATE customer SET phone = '' WHERE id = 7 RETURNING *",
            "seal phone of keys 7; release name,email,phone of keys 7",
        ),
        ("UPDATE orders SET note = c.phone FROM customer c", "release phone of everybody"),
        ("DELETE FROM customer WHERE id = 7", ""),
        ("DELETE FROM customer RETURNING email", "release email of everybody"),
        ("INSERT INTO customer (id, email) VALUES (8, 'x')", "seal email of keys 8"),
        ("INSERT INTO customer (email) VALUES ('x')", "seal email of keys "),
        ("INSERT INTO loot SELECT phone FROM customer", "release phone of everybody"),
    ] {
        assert_eq!(write(text), expected, "{text}");
    }
}

#[test]
fn without_relations_in_the_log_an_unknown_relation_counts_for_everybody() {
    let read = |text| resolved("READ", None, text, &[]);
    assert_eq!(read("SELECT phone FROM customer WHERE id = 1"), "release phone of keys 1");
    assert_eq!(read("SELECT 1"), "");
    assert_eq!(read("SELECT relname FROM pg_catalog.pg_class"), "");
    let view = read("SELECT * FROM some_view WHERE id = 1");
    assert!(view.starts_with("release name,email,phone of everybody; release shipping"), "{view}");
}

proptest! {
    #[test]
    fn foreign_statements_never_panic(text in "(SELECT |FROM |customer|WHERE |id|=|\\(|\\)|'|\\$1| |,|\\PC){0,40}") {
        let _ = read(&text);
    }
}
