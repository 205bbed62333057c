//! Statements that read customers, their rows in other tables, and lists of them.

use super::Draw;
use crate::shop::quoted;

/// One customer by the key, as libraries write it.
pub fn by_key(draw: &mut Draw) -> String {
    let person = draw.person();
    match draw.number(0, 8) {
        0 => format!(
            r#"SELECT "customer".* FROM "customer" WHERE "customer"."id" = {} LIMIT {}"#,
            draw.parameter(&person),
            draw.parameter(&1)
        ),
        1 => format!(
            r#"SELECT "customer"."id", "customer"."email", "customer"."full_name" FROM "customer" WHERE "customer"."id" = {person} LIMIT 21"#
        ),
        2 => format!(
            "select c1_0.id,c1_0.email,c1_0.phone from customer c1_0 where c1_0.id={}",
            draw.parameter(&person)
        ),
        3 => format!(
            "SELECT customer.id AS customer_id, customer.phone AS customer_phone \nFROM customer \n\
             WHERE customer.id = {}",
            draw.parameter(&person) + "::INTEGER"
        ),
        4 => format!(
            r#"SELECT "public"."customer"."id", "public"."customer"."phone" FROM "public"."customer" WHERE ("public"."customer"."id" = {} AND 1=1) LIMIT {} OFFSET {}"#,
            draw.parameter(&person),
            draw.parameter(&1),
            draw.parameter(&0)
        ),
        5 => format!(
            r#"SELECT "t0"."full_name", "t0"."phone" FROM (SELECT * FROM "customer" WHERE "id" = {person}) AS "t0""#
        ),
        6 => {
            let e = draw.expression("c");
            format!("SELECT {e} AS shown FROM customer AS c WHERE c.id = {}", draw.key(person))
        }
        7 => {
            let (columns, wide) = (draw.columns("c"), draw.wide("c"));
            format!("SELECT {columns} FROM customer c WHERE c.id = {person} AND {wide}")
        }
        _ => format!(
            "SELECT id, full_name, email FROM public.customer WHERE id = {} FOR UPDATE",
            draw.key(person)
        ),
    }
}

pub fn by_keys(draw: &mut Draw) -> String {
    let (columns, narrow) = (draw.columns("c"), draw.narrow("c.id"));
    let order = if draw.chance(50) { draw.order("c") } else { String::new() };
    let limit = draw.one(&["", "", " LIMIT 20"]);
    format!("SELECT {columns} FROM customer c WHERE {narrow} {order}{limit}")
}

/// A customer who signs in or is looked up by the e-mail address.
pub fn by_email(draw: &mut Draw) -> String {
    let (columns, email) = (draw.columns("c"), draw.email());
    match draw.number(0, 6) {
        4 => format!(
            "SELECT {columns}, a.street FROM customer c JOIN address a ON a.customer_id = c.id WHERE \
             c.email = {}",
            draw.text(&email)
        ),
        5 => {
            let person = draw.person();
            format!(
                "SELECT {columns} FROM customer c WHERE c.id = {} OR c.email = {}",
                draw.key(person),
                draw.text(&email)
            )
        }
        0 => format!(
            "SELECT {columns} FROM customer c WHERE lower(c.email) = {}",
            draw.parameter(&email)
        ),
        1 => format!(
            "SELECT {columns} FROM customer c WHERE c.email IN ({}, {})",
            draw.text(&email),
            quoted(Some(&draw.email()))
        ),
        2 => format!(
            "SELECT EXISTS (SELECT 1 FROM customer WHERE email = {} AND phone IS NOT NULL)",
            draw.text(&email)
        ),
        3 => format!(
            "SELECT 1 AS one FROM customer c WHERE c.email = {} AND c.id <> {} LIMIT 1",
            draw.text(&email),
            draw.key(3)
        ),
        _ => format!(
            "SELECT {columns} FROM customer c WHERE c.email = {} LIMIT 1",
            draw.text(&email)
        ),
    }
}

/// A customer with orders, addresses and cards, joined in the usual ways.
pub fn joins(draw: &mut Draw) -> String {
    let columns = draw.columns("c");
    let narrow = draw.narrow("c.id");
    match draw.number(0, 10) {
        9 => format!(
            "SELECT {columns}, a.street FROM customer c JOIN address a ON a.id = c.default_billing \
             WHERE {narrow}"
        ),
        0 => format!(
            "SELECT {columns}, o.total FROM customer c JOIN orders o ON o.customer_id = c.id \
             WHERE {narrow}"
        ),
        1 => format!(
            "SELECT {columns}, a.street FROM customer c LEFT JOIN address a ON a.customer_id = c.id \
             WHERE {narrow}"
        ),
        2 => format!(
            "SELECT {columns}, a.city, k.last4 FROM customer c LEFT OUTER JOIN address a ON \
             a.customer_id = c.id AND a.kind = 'home' LEFT JOIN card k ON (k.customer_id = c.id) \
             WHERE {narrow}"
        ),
        3 => format!(
            "SELECT {columns}, o.id FROM orders o INNER JOIN customer c ON c.id = o.customer_id \
             WHERE {}",
            draw.narrow("o.customer_id")
        ),
        4 => format!(
            "SELECT a.street, k.last4 FROM address a JOIN card k USING (customer_id) WHERE {}",
            draw.narrow("customer_id")
        ),
        5 => format!(
            "SELECT {columns}, a.street FROM customer c, address a WHERE a.customer_id = c.id AND \
             {narrow}"
        ),
        6 => format!(
            "SELECT {columns} FROM session s JOIN customer c ON c.id = s.customer_id WHERE {}",
            draw.narrow("s.customer_id")
        ),
        7 => format!(
            "SELECT o.id, p.title, {columns} FROM customer c JOIN orders o ON o.customer_id = c.id \
             JOIN order_line l ON l.order_id = o.id JOIN product p ON p.id = l.product_id \
             WHERE {narrow} ORDER BY o.id"
        ),
        8 => format!(
            "SELECT {columns}, n.street FROM customer c LEFT JOIN LATERAL (SELECT a.street FROM \
             address a WHERE a.customer_id = c.id ORDER BY a.id LIMIT 1) n ON true WHERE {narrow}"
        ),
        _ => format!(
            "SELECT {columns} FROM orders o RIGHT JOIN customer c ON c.id = o.customer_id \
             WHERE {narrow}"
        ),
    }
}

/// The addresses and cards of a customer.
pub fn own_rows(draw: &mut Draw) -> String {
    let narrow = draw.narrow("customer_id");
    match draw.number(0, 4) {
        0 => format!("SELECT * FROM address WHERE {narrow}"),
        1 => format!("SELECT id, street, city FROM address WHERE {narrow} AND kind = 'home'"),
        2 => format!("SELECT brand, last4 FROM card WHERE {narrow} ORDER BY id DESC"),
        3 => {
            draw.ordered = true;
            format!("SELECT id, status, total FROM orders WHERE {narrow} ORDER BY id DESC LIMIT 5")
        }
        _ => format!("SELECT left(street, 3), count(*) FROM address WHERE {narrow} GROUP BY 1"),
    }
}

/// Reads of rows that a customer's orders hold.
pub fn of_orders(draw: &mut Draw) -> String {
    let narrow = draw.narrow("o.customer_id");
    match draw.number(0, 5) {
        0 => format!(
            "SELECT a.street FROM order_address a JOIN orders o ON o.id = a.order_id WHERE {narrow}"
        ),
        1 => format!(
            "SELECT o.id, o.total, a.* FROM orders o LEFT JOIN order_address a ON a.order_id = o.id \
             WHERE {narrow}"
        ),
        2 => format!(
            "SELECT id, street FROM order_address WHERE order_id IN (SELECT o.id FROM orders o WHERE \
             {narrow})"
        ),
        3 => {
            let email = draw.email();
            format!(
                "SELECT c.full_name, a.street FROM customer c JOIN orders o ON o.customer_id = c.id \
                 JOIN order_address a ON a.order_id = o.id WHERE c.email = {}",
                draw.text(&email)
            )
        }
        4 => format!(
            "UPDATE order_address a SET street = upper(a.street) FROM orders o WHERE o.id = \
             a.order_id AND {narrow} RETURNING a.street"
        ),
        _ => format!(
            "DELETE FROM order_address WHERE order_id IN (SELECT o.id FROM orders o WHERE {narrow}) \
             RETURNING street"
        ),
    }
}

/// The customer of an order or of a session. Neither names the customer.
pub fn by_order(draw: &mut Draw) -> String {
    let (columns, order) = (draw.columns("c"), draw.number(1001, 1020));
    match draw.number(0, 2) {
        0 => format!(
            "SELECT {columns} FROM orders o JOIN customer c ON c.id = o.customer_id WHERE o.id = \
             {order}"
        ),
        1 => format!(
            "SELECT {columns} FROM customer c WHERE c.id = (SELECT customer_id FROM orders WHERE \
             id = {order})"
        ),
        _ => format!(
            "SELECT {columns} FROM customer c JOIN session s ON s.customer_id = c.id WHERE \
             s.token = 'token-{}'",
            draw.person()
        ),
    }
}

pub fn page(draw: &mut Draw) -> String {
    let (columns, order) = (draw.columns("c"), draw.order("c"));
    match draw.number(0, 4) {
        0 => format!(
            "SELECT {columns} FROM customer c {order} LIMIT 5 OFFSET {}",
            5 * (order.len() % 3)
        ),
        1 => format!(
            "SELECT {columns} FROM customer c WHERE c.id > {} ORDER BY c.id LIMIT 5",
            draw.person()
        ),
        2 => format!("SELECT {columns} FROM customer c {order} FETCH FIRST 3 ROWS ONLY"),
        3 => {
            let wide = draw.wide("c");
            format!("SELECT {columns} FROM customer c WHERE {wide} {order} LIMIT 10")
        }
        _ => format!("SELECT c.id, c.country FROM customer c {order} LIMIT 10"),
    }
}

pub fn search(draw: &mut Draw) -> String {
    let (columns, first, second) = (draw.columns("c"), draw.wide("c"), draw.wide("c"));
    let word = draw.one(&["AND", "OR"]);
    match draw.number(0, 3) {
        0 => format!("SELECT {columns} FROM customer c WHERE {first}"),
        1 => format!("SELECT count(*) FROM customer c WHERE {first} {word} {second}"),
        2 => format!(
            "SELECT {columns} FROM customer c JOIN address a ON a.customer_id = c.id WHERE \
             a.city ILIKE '%{}%' {word} {first}",
            draw.one(&["ie", "raz", "x"])
        ),
        _ => format!("SELECT DISTINCT {columns} FROM customer c WHERE {first} {word} {second}"),
    }
}
