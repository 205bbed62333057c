//! Statements that export and write.

use super::Draw;

pub fn export(draw: &mut Draw) -> String {
    let (columns, wide) = (draw.columns("c"), draw.wide("c"));
    match draw.number(0, 6) {
        0 => format!("COPY {} TO STDOUT", draw.one(&["customer", "address", "public.card"])),
        1 => format!(
            "COPY customer (id, {}) TO STDOUT WITH CSV",
            draw.one(&["email", "phone", "country", "notes"])
        ),
        2 => format!("COPY (SELECT {columns} FROM customer c) TO STDOUT"),
        3 => {
            let narrow = draw.narrow("id");
            format!("COPY (SELECT id, email FROM customer WHERE {narrow}) TO STDOUT")
        }
        4 => "SELECT * FROM customer".to_owned(),
        5 => "TABLE address".to_owned(),
        _ => format!(
            "SELECT {columns}, a.street FROM customer c LEFT JOIN address a ON a.customer_id = c.id WHERE {wide}"
        ),
    }
}

pub fn insert(draw: &mut Draw) -> String {
    let (person, columns) = (
        draw.person(),
        draw.one(&["", " RETURNING id", " RETURNING *", " RETURNING email, phone"]),
    );
    match draw.number(0, 7) {
        0 => format!(
            "INSERT INTO customer (id, email, full_name) VALUES (99, 'new@post.example', 'New'){columns}"
        ),
        1 => format!(
            "INSERT INTO customer (id, phone) VALUES ({person}, {}) ON CONFLICT (id) DO UPDATE SET phone = excluded.phone{columns}",
            draw.text("040 1")
        ),
        2 => format!(
            "INSERT INTO customer AS c (id, phone) VALUES ({person}, '1') ON CONFLICT (id) DO UPDATE SET phone = coalesce(c.phone, excluded.phone){columns}"
        ),
        3 => format!(
            "INSERT INTO customer (id, phone) VALUES ({person}, '1'), (98, '2') ON CONFLICT (id) DO NOTHING{columns}"
        ),
        4 => format!(
            "INSERT INTO customer (id, email) VALUES (97, {}) ON CONFLICT (email) DO UPDATE SET email = excluded.email RETURNING id",
            {
                let email = draw.email();
                draw.text(&email)
            }
        ),
        5 => {
            let (expression, narrow) = (draw.expression("c"), draw.narrow("c.id"));
            format!(
                "INSERT INTO outbox (id, body) SELECT c.id, ({expression})::text FROM customer c WHERE {narrow} RETURNING body"
            )
        }
        6 => format!(
            "INSERT INTO orders (id, customer_id, total) VALUES (2000, {person}, 5) RETURNING id"
        ),
        _ => format!(
            "INSERT INTO address (id, customer_id, street) VALUES (300, {}, 'New street') RETURNING id, street",
            draw.key(person)
        ),
    }
}

pub fn update(draw: &mut Draw) -> String {
    let narrow = draw.narrow("id");
    let columns =
        draw.one(&["", "", " RETURNING id", " RETURNING *", " RETURNING full_name, phone"]);
    match draw.number(0, 6) {
        0 => format!("UPDATE customer SET phone = {} WHERE {narrow}{columns}", draw.text("040 1")),
        1 => format!(
            r#"UPDATE "customer" SET "country" = 'DE', "created_at" = "created_at" WHERE {narrow}{columns}"#
        ),
        2 => format!(
            "UPDATE customer SET phone = regexp_replace(phone, '^0', '+43') WHERE {narrow}{columns}"
        ),
        3 => {
            let wide = draw.wide("c");
            format!("UPDATE customer c SET country = 'XX' WHERE {wide}{columns}")
        }
        4 => {
            let narrow = draw.narrow("c.id");
            format!(
                "UPDATE customer c SET notes = a.city FROM address a WHERE a.customer_id = c.id AND {narrow} RETURNING c.id, a.city"
            )
        }
        5 => format!(
            "UPDATE orders SET status = 'sent' WHERE {} RETURNING id",
            draw.narrow("customer_id")
        ),
        _ => format!(
            "UPDATE orders o SET status = c.country FROM customer c WHERE c.id = o.customer_id AND c.email = {} RETURNING o.id",
            {
                let email = draw.email();
                draw.text(&email)
            }
        ),
    }
}

pub fn delete(draw: &mut Draw) -> String {
    let narrow = draw.narrow("id");
    match draw.number(0, 4) {
        0 => format!("DELETE FROM customer WHERE {narrow}"),
        1 => format!("DELETE FROM customer WHERE {narrow} RETURNING email, full_name"),
        2 => format!("DELETE FROM address WHERE {} RETURNING *", draw.narrow("customer_id")),
        3 => format!("DELETE FROM customer c WHERE {}", draw.wide("c")),
        _ => "DELETE FROM session s USING customer c WHERE c.id = s.customer_id AND c.phone LIKE \
              '04%' RETURNING s.seen_at"
            .to_owned(),
    }
}
