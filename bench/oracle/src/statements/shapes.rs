//! Statements of every shape: nested, grouped, combined.

use super::Draw;

pub fn common(draw: &mut Draw) -> String {
    let (columns, narrow) = (draw.columns("c"), draw.narrow("c.id"));
    match draw.number(0, 6) {
        0 => format!(
            "WITH one AS (SELECT {columns} FROM customer c WHERE {narrow}) SELECT * FROM one"
        ),
        1 => format!(
            "WITH all_of AS (SELECT c.id, c.full_name FROM customer c) SELECT full_name FROM all_of \
             WHERE {}",
            draw.narrow("id")
        ),
        2 => format!(
            "WITH spent AS (SELECT customer_id, sum(total) AS total FROM orders GROUP BY \
             customer_id) SELECT {columns}, s.total FROM customer c JOIN spent s ON s.customer_id = \
             c.id WHERE {narrow}"
        ),
        3 => format!(
            "WITH gone AS (DELETE FROM address WHERE {} RETURNING street, customer_id) SELECT * \
             FROM gone",
            draw.narrow("customer_id")
        ),
        4 => format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i, \
             {columns} FROM n JOIN customer c ON c.id = n.i WHERE {narrow}"
        ),
        5 => {
            let wide = draw.wide("c");
            format!(
                "WITH found AS MATERIALIZED (SELECT c.id FROM customer c WHERE {wide}) SELECT \
                 count(*) FROM found"
            )
        }
        _ => format!(
            "WITH changed AS (UPDATE customer c SET country = 'DE' WHERE {narrow} RETURNING c.id, \
             c.phone) SELECT o.id, changed.phone FROM orders o JOIN changed ON changed.id = \
             o.customer_id"
        ),
    }
}

pub fn aggregate(draw: &mut Draw) -> String {
    let (expression, wide) = (draw.expression("c"), draw.wide("c"));
    let (column, narrow) = (draw.one(&["full_name", "phone", "email"]), draw.narrow("c.id"));
    match draw.number(0, 9) {
        0 => "SELECT count(*) FROM customer".to_owned(),
        1 => "SELECT country, count(*) FROM customer GROUP BY country".to_owned(),
        2 => "SELECT c.country, sum(o.total), avg(o.total) FROM customer c JOIN orders o ON \
              o.customer_id = c.id GROUP BY c.country HAVING count(*) > 1"
            .to_owned(),
        3 => format!("SELECT max(c.{column}), min(c.{column}) FROM customer c"),
        4 => format!("SELECT count(DISTINCT c.{column}) FROM customer c WHERE {narrow}"),
        5 => format!(
            "SELECT string_agg(c.{column}, ',' ORDER BY c.id) FROM customer c WHERE {narrow}"
        ),
        6 => format!("SELECT {expression} AS what, count(*) FROM customer c GROUP BY 1"),
        7 => format!("SELECT count(*) FILTER (WHERE {wide}) FROM customer c"),
        8 => format!(
            "SELECT o.customer_id, count(*), max(o.total) FROM orders o WHERE {} GROUP BY \
             o.customer_id",
            draw.narrow("o.customer_id")
        ),
        _ => "SELECT date_trunc('month', created_at), count(*) FROM customer GROUP BY 1".to_owned(),
    }
}

pub fn subquery(draw: &mut Draw) -> String {
    let (columns, narrow) = (draw.columns("c"), draw.narrow("c.id"));
    match draw.number(0, 8) {
        0 => format!(
            "SELECT {columns} FROM customer c WHERE {narrow} AND c.id IN (SELECT customer_id FROM \
             orders)"
        ),
        1 => format!(
            "SELECT {columns}, (SELECT max(o.total) FROM orders o WHERE o.customer_id = c.id) FROM \
             customer c WHERE {narrow}"
        ),
        2 => format!(
            "SELECT {columns}, (SELECT a.street FROM address a WHERE a.customer_id = c.id LIMIT 1) \
             FROM customer c WHERE {narrow}"
        ),
        3 => format!(
            "SELECT o.id, (SELECT c.full_name FROM customer c WHERE c.id = o.customer_id) FROM \
             orders o WHERE {}",
            draw.narrow("o.customer_id")
        ),
        4 => format!(
            "SELECT x.full_name FROM (SELECT c.id, c.full_name, c.phone FROM customer c) x WHERE {}",
            draw.narrow("x.id")
        ),
        5 => format!(
            "SELECT {columns} FROM customer c WHERE {narrow} AND NOT EXISTS (SELECT 1 FROM address \
             a WHERE a.customer_id = c.id AND a.city = 'Wien')"
        ),
        6 => format!(
            "SELECT o.id FROM orders o WHERE o.customer_id IN (SELECT c.id FROM customer c WHERE {})",
            draw.wide("c")
        ),
        7 => format!(
            "SELECT {columns} FROM customer c WHERE c.id = ANY (SELECT s.customer_id FROM session s \
             WHERE s.customer_id = {})",
            draw.person()
        ),
        _ => format!(
            "SELECT EXISTS (SELECT 1 FROM customer c WHERE {narrow} AND {})",
            draw.wide("c")
        ),
    }
}

pub fn window(draw: &mut Draw) -> String {
    let (expression, narrow) = (draw.expression("c"), draw.narrow("c.id"));
    let (column, wide) = (draw.one(&["full_name", "phone", "email", "id"]), draw.wide("c"));
    match draw.number(0, 5) {
        0 => format!("SELECT c.id, row_number() OVER (ORDER BY c.{column}) FROM customer c"),
        1 => format!(
            "SELECT c.id, rank() OVER (PARTITION BY c.country ORDER BY c.{column}) FROM customer c WHERE {narrow}"
        ),
        2 => format!("SELECT {expression}, count(*) OVER () FROM customer c WHERE {narrow}"),
        3 => format!("SELECT lag(c.{column}) OVER (ORDER BY c.id) FROM customer c WHERE {narrow}"),
        4 => format!(
            "SELECT c.id, sum(o.total) OVER w FROM customer c JOIN orders o ON o.customer_id = c.id WHERE {narrow} WINDOW w AS (PARTITION BY c.id ORDER BY o.id)"
        ),
        _ => format!(
            "SELECT first_value(c.{column}) OVER (PARTITION BY c.country ORDER BY c.id) FROM customer c WHERE {wide}"
        ),
    }
}

pub fn set_operation(draw: &mut Draw) -> String {
    let (first, second) = (draw.narrow("c.id"), draw.narrow("c.id"));
    let (e, f) = (draw.expression("c"), draw.expression("c"));
    let word = draw.one(&["UNION", "UNION ALL", "EXCEPT", "INTERSECT"]);
    match draw.number(0, 3) {
        0 => format!(
            "SELECT c.full_name FROM customer c WHERE {first} {word} SELECT c.email FROM customer c \
             WHERE {second}"
        ),
        1 => format!(
            "SELECT ({e})::text FROM customer c WHERE {first} {word} SELECT ({f})::text FROM \
             customer c WHERE {second} ORDER BY 1"
        ),
        2 => format!(
            "SELECT c.phone FROM customer c WHERE {first} {word} SELECT k.last4 FROM card k WHERE {}",
            draw.narrow("k.customer_id")
        ),
        _ => format!(
            "(SELECT c.id FROM customer c WHERE {first}) {word} (SELECT c.customer_id FROM address c \
             WHERE {})",
            draw.narrow("c.customer_id")
        ),
    }
}

pub fn json(draw: &mut Draw) -> String {
    let narrow = draw.narrow("c.id");
    let end = if draw.chance(70) { format!(" WHERE {narrow}") } else { String::new() };
    let what = draw.one(&[
        "row_to_json(c)",
        "row_to_json(c.*)::text",
        "to_jsonb(c) - 'password_hash'",
        "json_agg(c)",
        "json_agg(c.* ORDER BY c.id)",
        "json_build_object('id', c.id, 'name', c.full_name)",
        "jsonb_build_object('email', c.email) || jsonb_build_object('phone', c.phone)",
        "jsonb_agg(jsonb_build_object('id', c.id, 'phone', c.phone))",
        "(to_jsonb(c))->>'email'",
        "ROW(c.*)::text",
        "ROW(c.id, c.phone)",
        "array_agg(c.phone)",
        "array_to_json(array_agg(c.full_name))",
        "c",
        "(c).phone",
        "json_object_agg(c.id, c.phone)",
    ]);
    format!("SELECT {what} FROM customer c{end}")
}

/// Statements that reach customers through a view or a function.
pub fn indirect(draw: &mut Draw) -> String {
    match draw.number(0, 2) {
        0 => format!("SELECT full_name FROM customer_view WHERE {}", draw.narrow("id")),
        1 => format!("SELECT contact_of({})", draw.person()),
        _ => format!(
            "SELECT o.id, v.email FROM orders o JOIN customer_view v ON v.id = o.customer_id WHERE {}",
            draw.narrow("v.id")
        ),
    }
}
