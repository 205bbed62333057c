//! Mixtures of the pieces that no purpose of a shop asks for.

use super::Draw;

/// Anything that the pieces allow.
pub fn composed(draw: &mut Draw) -> String {
    let mut results: Vec<_> = (0..draw.number(1, 3)).map(|_| draw.expression("c")).collect();
    let mut from = "customer c".to_owned();
    let (mut a, mut o) = (false, false);
    if draw.chance(40) {
        a = true;
        from += draw.one(&[
            " LEFT JOIN address a ON a.customer_id = c.id",
            " JOIN address a ON a.customer_id = c.id",
            " JOIN address a ON c.id = a.customer_id AND a.kind = 'home'",
            " FULL JOIN address a ON a.customer_id = c.id",
            " CROSS JOIN address a",
        ]);
        results.push("a.street".to_owned());
    }
    if draw.chance(40) {
        o = true;
        from += draw.one(&[
            " JOIN orders o ON o.customer_id = c.id",
            " LEFT JOIN orders o ON o.customer_id = c.id AND o.total > 12",
            " RIGHT JOIN orders o ON o.customer_id = c.id",
        ]);
        results.push("o.id".to_owned());
    }
    let mut conditions = Vec::new();
    if draw.chance(75) {
        let key = match draw.number(0, 5) {
            0 if a => "a.customer_id",
            1 if o => "o.customer_id",
            _ => "c.id",
        };
        conditions.push(draw.narrow(key));
    }
    if draw.chance(50) {
        conditions.push(draw.wide("c"));
    }
    if draw.chance(15) {
        conditions.push(draw.odd("c.id"));
    }
    let word = draw.one(&[" AND ", " AND ", " AND ", " OR "]);
    let condition = if conditions.is_empty() {
        String::new()
    } else {
        format!(" WHERE {}", conditions.join(word))
    };
    let distinct = draw.one(&["", "", "", "DISTINCT "]);
    let mut tail = String::new();
    if distinct.is_empty() && draw.chance(30) {
        tail = format!(" {}", draw.order("c"));
        tail += draw.one(&["", " LIMIT 3", " LIMIT 5 OFFSET 2"]);
    }
    format!("SELECT {distinct}{} FROM {from}{condition}{tail}", results.join(", "))
}

/// Statements that look as if they were of one customer. Some are.
pub fn odd(draw: &mut Draw) -> String {
    let (columns, e, odd) = (draw.columns("c"), draw.expression("c"), draw.odd("c.id"));
    let (narrow, other) = (draw.narrow("c.id"), draw.narrow("a.customer_id"));
    match draw.number(0, 21) {
        17..=20 => odd_way(draw),
        0 => format!("SELECT {columns} FROM customer c WHERE {odd}"),
        1 => format!(
            "SELECT {e} FROM customer c LEFT JOIN address a ON a.customer_id = c.id AND {narrow}"
        ),
        2 => format!(
            "SELECT {e}, a.street FROM customer c RIGHT JOIN address a ON a.customer_id = c.id AND {other}"
        ),
        3 => format!(
            "SELECT {e}, a.street FROM customer c FULL JOIN address a ON {narrow} AND {other}"
        ),
        4 => format!(
            "SELECT {e}, b.phone FROM customer c JOIN customer b ON b.id <> c.id WHERE {narrow}"
        ),
        5 => format!(
            "SELECT {e} FROM customer c JOIN (VALUES (3), (5)) v(n) ON v.n = c.id WHERE {narrow} OR {odd}"
        ),
        6 => format!(
            "SELECT street FROM customer c JOIN address a USING (id) WHERE id = 101 OR {odd}"
        ),
        7 => format!(
            "SELECT DISTINCT ON (c.country) c.country, {e} FROM customer c WHERE {odd} ORDER BY c.country, c.id"
        ),
        8 => format!(
            "SELECT c.country, count(*), max(c.phone) FROM customer c WHERE {odd} GROUP BY GROUPING SETS ((c.country), ())"
        ),
        9 => format!("SELECT id FROM customer c WHERE {odd} ORDER BY {e} LIMIT 1"),
        10 => "SELECT count(*) FROM customer c HAVING max(c.phone) > '05'".to_owned(),
        11 => format!(
            "UPDATE customer c SET country = left(({e})::text, 2) WHERE {odd} RETURNING c.country"
        ),
        12 => format!(
            "DELETE FROM address a USING customer c WHERE c.id = a.customer_id AND {odd} AND c.phone LIKE '04%'"
        ),
        13 => format!(
            "SELECT x.full_name FROM (SELECT c.id AS n, c.full_name, c.phone FROM customer c ORDER BY c.phone LIMIT 4) x WHERE {}",
            draw.narrow("x.n")
        ),
        14 => format!(
            "SELECT x.id, x.many FROM (SELECT c.id, count(*) OVER (ORDER BY c.phone) AS many FROM customer c) x WHERE {}",
            draw.narrow("x.id")
        ),
        15 => format!(
            "SELECT x.id, y.phone FROM (SELECT c.id FROM customer c) x JOIN (SELECT c.id, c.phone FROM customer c) y ON y.id >= x.id WHERE {}",
            draw.narrow("x.id")
        ),
        16 => format!(
            "WITH w AS (SELECT c.id, c.phone FROM customer c) SELECT a.phone FROM w a JOIN w b ON b.phone > a.phone WHERE {}",
            draw.narrow("a.id")
        ),
        _ => format!(
            "SELECT x.p FROM (SELECT max(c.id) AS id, max(c.phone) AS p FROM customer c GROUP BY c.country) x WHERE {}",
            draw.narrow("x.id")
        ),
    }
}

/// Statements that seem to join an order's address with its order.
fn odd_way(draw: &mut Draw) -> String {
    let narrow = draw.narrow("o.customer_id");
    match draw.number(0, 3) {
        3 => format!(
            "SELECT c.phone FROM customer c WHERE {} OR c.email = 'bo@post.example' OR {}",
            draw.narrow("c.id"),
            draw.odd("c.id")
        ),
        0 => format!(
            "SELECT a.street FROM order_address a LEFT JOIN orders o ON o.id = a.order_id AND {narrow}"
        ),
        1 => format!(
            "SELECT a.street FROM order_address a JOIN orders o ON o.id >= a.order_id WHERE {narrow}"
        ),
        _ => format!(
            "SELECT a.street FROM order_address a JOIN orders o ON o.id IN (a.order_id, 1001) WHERE {narrow}"
        ),
    }
}
