use proptest::prelude::*;

use super::*;

const MAPPING: &str = r#"
    other_relations = ["public.orders", "loot"]
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
    let mapping: Pgaudit = toml::from_str(MAPPING).unwrap();
    let parameters = Some(parameters.iter().map(|p| (*p).to_owned()).collect());
    let found = resolve(&mapping, &Statement { class, command: "", object, text, parameters });
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

#[test]
fn statements_of_simple_forms_name_their_customers() {
    for (text, expected) in [
        ("SELECT full_name FROM customer WHERE id = 7", "release name of keys 7"),
        ("SELECT full_name FROM customer WHERE id = $1", "release name of keys 4711"),
        (
            "SELECT c.phone FROM public.customer c WHERE c.id IN (1,'2')",
            "release phone of keys 1,2",
        ),
        (
            "SELECT phone FROM customer WHERE id = 1 OR (id = 2 AND true)",
            "release phone of keys 1,2",
        ),
        ("SELECT phone FROM customer WHERE id = ANY('{1,2}'::int[])", "release phone of keys 1,2"),
        ("SELECT phone FROM customer WHERE id = ANY(ARRAY[1,2])", "release phone of keys 1,2"),
        ("SELECT phone FROM customer WHERE id BETWEEN 3 AND 5", "release phone of keys 3,4,5"),
        ("SELECT phone FROM customer WHERE id = '007'", "release phone of keys 007,7"),
        ("SELECT phone FROM customer WHERE id = ANY('{1, 2}')", "release phone of keys 1,2"),
        ("SELECT * FROM customer WHERE id=7", "release name,email,phone of keys 7"),
        (
            "SELECT id FROM customer WHERE lower(email) = $2",
            "release email of emails ada@post.example",
        ),
        ("SELECT count(*) FROM customer", ""),
        ("SELECT id, created_at FROM customer", ""),
        ("TABLE customer", "release name,email,phone of everybody"),
        ("COPY customer TO STDOUT", "release name,email,phone of everybody"),
        ("COPY (SELECT phone FROM customer WHERE id = 3) TO STDOUT", "release phone of keys 3"),
        ("COPY customer (id, phone) TO STDOUT", "release phone of everybody"),
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
    ] {
        assert_eq!(read(text), expected, "{text}");
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
        "SELECT phone FROM (SELECT * FROM customer) x WHERE id = 7",
        "WITH x AS (SELECT * FROM customer) SELECT phone FROM x WHERE id = 7",
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
        assert!(found.contains("phone") && found.ends_with("everybody"), "{text}: {found}");
    }
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
