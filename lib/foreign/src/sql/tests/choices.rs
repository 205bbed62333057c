//! Conditions that choose customers in several ways at once, and those that only seem to.

use super::{is_everybodys_phone, read, resolved};

const NARROW: &[(&str, &str)] = &[
    // Another spelling of an equality, and a list with null, which nothing equals.
    ("SELECT phone FROM customer WHERE id IS NOT DISTINCT FROM 7", "release phone of keys 7"),
    ("SELECT phone FROM customer WHERE (id, 1) = (7, 1)", "release phone of keys 7"),
    ("SELECT phone FROM customer WHERE id IN (7, NULL)", "release phone of keys 7"),
    ("SELECT phone FROM customer WHERE id = ANY(ARRAY[7, NULL, 8])", "release phone of keys 7,8"),
    ("SELECT phone FROM customer WHERE id = ANY('{7,NULL}')", "release phone of keys 7"),
    ("SELECT phone FROM customer WHERE id >= 3 AND id < 5", "release phone of keys 3,4"),
    ("SELECT phone FROM customer WHERE 3 < id AND id <= 5", "release phone of keys 4,5"),
    // The key or the address.
    (
        "SELECT phone FROM customer WHERE id = 7 OR email = 'ada@b.c'",
        "release email,phone of keys 7; release email,phone of emails ada@b.c",
    ),
    (
        "SELECT phone FROM customer WHERE (id IN (7, 8) AND phone <> '') OR lower(email) = $2 OR id = 9",
        "release email,phone of keys 7,8,9; release email,phone of emails ada@post.example",
    ),
    (
        "SELECT x.phone FROM (SELECT id, email AS m, phone FROM customer) x WHERE x.id = 7 OR x.m = 'a@b.c'",
        "release email,phone of keys 7; release email,phone of emails a@b.c",
    ),
    (
        "UPDATE customer SET phone = '' WHERE id = 7 OR email = 'ada@b.c'",
        "seal phone of keys 7; seal phone of emails ada@b.c; release email of keys 7; \
             release email of emails ada@b.c",
    ),
    // A fact of an inner join holds for every row that is joined to it.
    (
        "SELECT a.street FROM customer c JOIN orders o ON o.who = c.id JOIN address a ON a.customer_id = o.who \
             WHERE c.id = 7",
        "release shipping_address of keys 7",
    ),
    (
        "SELECT a.street FROM customer c JOIN orders o ON o.who = c.id LEFT JOIN address a ON \
             a.customer_id = o.who WHERE c.id = 7",
        "release shipping_address of keys 7",
    ),
    (
        "SELECT a.street FROM customer c JOIN orders o ON o.who = c.id, address a WHERE c.id = 7 AND \
             a.customer_id = o.who",
        "release shipping_address of keys 7",
    ),
    (
        "SELECT c.phone FROM customer c JOIN (orders o JOIN orders p ON p.who = o.who AND p.who = 7) \
             ON o.who = c.id",
        "release phone of keys 7",
    ),
    // A subquery whose rows say whose they are.
    (
        "SELECT phone FROM customer WHERE id IN (SELECT customer_id FROM address WHERE customer_id = 7)",
        "release phone of keys 7",
    ),
    (
        "SELECT phone FROM customer c WHERE c.id = (SELECT o.who FROM orders o WHERE o.who = 7 LIMIT 1)",
        "release phone of keys 7",
    ),
    (
        "SELECT phone FROM customer c WHERE c.id = ANY (SELECT o.who FROM orders o WHERE o.who IN (7, 8) \
             GROUP BY o.who)",
        "release phone of keys 7,8",
    ),
    (
        "SELECT c.phone, (SELECT max(a.street) FROM address a WHERE a.customer_id = c.id) FROM customer c \
             WHERE c.id IN (SELECT o.who FROM orders o JOIN orders p ON p.id = o.id AND o.who = 7)",
        "release phone of keys 7; release shipping_address of keys 7",
    ),
];

#[test]
fn several_ways_to_name_customers_are_understood() {
    for (text, expected) in NARROW {
        let write = text.starts_with("UPDATE");
        let class = if write { "WRITE" } else { "READ" };
        let found = resolved(class, None, text, &["4711", "ada@post.example"]);
        assert_eq!(found, *expected, "{text}");
    }
}

const WIDE: &[&str] = &[
    // Null may be the key, and a row of a list may have another part.
    "SELECT phone FROM customer WHERE id IS NOT DISTINCT FROM $1",
    "SELECT phone FROM customer WHERE id IS NOT DISTINCT FROM id",
    "SELECT phone FROM customer WHERE id IS DISTINCT FROM 7",
    "SELECT phone FROM customer WHERE (id, 1) <> (7, 1)",
    "SELECT phone FROM customer WHERE (1, id) = (SELECT 1, 7)",
    "SELECT phone FROM customer WHERE id = ALL ('{}'::int[])",
    "SELECT phone FROM customer WHERE id >= 3",
    "SELECT phone FROM customer WHERE id >= 3 OR id < 5",
    "SELECT phone FROM customer WHERE id >= '3' AND id < '5'",
    "SELECT phone FROM customer WHERE id >= 3 AND created_at < 5",
    // One side of an `OR` does not name whose its rows are.
    "SELECT phone FROM customer WHERE id = 7 OR email LIKE 'ada@%'",
    "SELECT phone FROM customer WHERE id = 7 OR email = 'ada@b.c' OR phone = '1'",
    "SELECT phone FROM customer WHERE id = 007 OR email = 'ada@b.c'",
    "SELECT phone FROM customer WHERE id = 7 OR email = ''",
    "SELECT phone FROM customer WHERE NOT (id = 7 OR email = 'ada@b.c')",
    "SELECT c.phone FROM customer c JOIN orders o ON c.id = 7 OR o.who = 7",
    "SELECT c.phone FROM customer c LEFT JOIN orders o ON c.id = 7 OR c.email = 'ada@b.c'",
    "SELECT c.phone FROM customer c JOIN customer d ON true WHERE d.id = 7 OR d.email = 'ada@b.c'",
    // The address is another customer's, or the rows of the other table need not be there.
    "SELECT c.phone FROM customer c JOIN customer d ON d.id <> c.id WHERE d.email = 'ada@b.c'",
    "SELECT c.phone FROM customer c JOIN customer d ON d.phone = c.phone WHERE d.email = 'ada@b.c'",
    "SELECT c.phone FROM customer c LEFT JOIN customer d ON d.id = c.id AND d.email = 'ada@b.c'",
    // An outer join may leave out the rows of which its condition speaks.
    "SELECT c.phone FROM orders o LEFT JOIN orders p ON o.who = 7 JOIN customer c ON c.id = o.who",
    "SELECT c.phone FROM orders o JOIN orders p ON o.who = 7 RIGHT JOIN customer c ON c.id = o.who",
    "SELECT c.phone FROM orders o JOIN orders p ON o.who = 7 FULL JOIN customer c ON c.id = o.who",
    "SELECT c.phone FROM customer c LEFT JOIN (orders o JOIN orders p ON o.who = 7) ON o.who = c.id",
    "SELECT c.phone FROM orders q LEFT JOIN (orders o JOIN orders p ON o.who = 7) ON true JOIN customer c ON c.id = q.who",
    "SELECT c.phone FROM orders o FULL JOIN orders p ON o.who = 7, customer c WHERE c.id = o.who",
    // Without a catalogue, the other table may have several rows of a customer, with old addresses.
    "SELECT c.phone FROM customer c JOIN customer d ON d.id = c.id WHERE d.email = 'ada@b.c'",
    // A subquery that says nothing about the row that it gives.
    "SELECT phone FROM customer WHERE id NOT IN (SELECT who FROM orders WHERE who = 7)",
    "SELECT phone FROM customer WHERE id = ALL (SELECT who FROM orders WHERE who = 7)",
    "SELECT phone FROM customer WHERE id > ANY (SELECT who FROM orders WHERE who = 7)",
    "SELECT phone FROM customer WHERE id IN (SELECT who FROM orders WHERE id = 7)",
    "SELECT phone FROM customer WHERE id IN (SELECT who + 1 FROM orders WHERE who = 7)",
    "SELECT phone FROM customer WHERE id IN (SELECT max(who) FROM orders WHERE who = 7)",
    "SELECT phone FROM customer WHERE id IN (SELECT who FROM orders WHERE who = 7 UNION SELECT 8)",
    "SELECT phone FROM customer WHERE id IN (SELECT who FROM orders WHERE who = 7) OR true",
    "SELECT phone FROM customer WHERE NOT (id IN (SELECT who FROM orders WHERE who = 7))",
    "SELECT phone FROM customer WHERE id IN (SELECT o.who FROM orders o LEFT JOIN orders p ON o.who = 7)",
    "SELECT phone FROM customer WHERE id IN (SELECT o.who FROM orders p LEFT JOIN orders o ON p.who = 7)",
];

#[test]
fn what_only_seems_to_name_customers_counts_for_everybody() {
    for text in WIDE {
        let found = read(text);
        assert!(is_everybodys_phone(&found), "{text}: {found}");
    }
}
