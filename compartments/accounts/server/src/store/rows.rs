//! Statements over many rows at once.

use std::fmt::Write as _;

use cofferdam_store::StoreError;
use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, AssertSqlSafe};

use super::Tx;

/// The number of rows in an `INSERT`: with 15 columns well below the 32,766 parameters that SQLite
/// takes.
pub const CHUNK: usize = 100;

/// A statement under construction.
pub type Statement<'q> = Query<'q, Any, AnyArguments>;

/// Inserts `rows` with `head` (`INSERT INTO t (a, b)`); `bind` adds the `columns` parameters of one
/// row.
pub async fn insert<T>(
    tx: &mut Tx,
    head: &'static str,
    columns: usize,
    rows: &[T],
    bind: impl for<'q> Fn(Statement<'q>, &'q T) -> Statement<'q>,
) -> Result<(), StoreError> {
    write(tx, head, "", columns, rows, bind).await
}

/// Runs a statement over `rows`. `head` opens the list of rows (`WITH new (a, b) AS`), and `tail`
/// follows the list.
pub async fn write<T>(
    tx: &mut Tx,
    head: &str,
    tail: &str,
    columns: usize,
    rows: &[T],
    bind: impl for<'q> Fn(Statement<'q>, &'q T) -> Statement<'q>,
) -> Result<(), StoreError> {
    for chunk in rows.chunks(CHUNK) {
        let values = values(chunk.len(), columns);
        let sql = match tail {
            "" => format!("{head} VALUES {values}"),
            tail => format!("{head} (VALUES {values}) {tail}"),
        };
        let statement = sqlx::query(AssertSqlSafe(sql)).persistent(chunk.len() == CHUNK);
        chunk.iter().fold(statement, &bind).execute(&mut **tx).await?;
    }
    Ok(())
}

/// `($1,$2),($3,$4)`: the parameters of `rows` rows.
fn values(rows: usize, columns: usize) -> String {
    let mut out = String::with_capacity(rows * (columns * 6 + 3));
    for row in 0..rows {
        out.push_str(if row == 0 { "(" } else { ",(" });
        list(&mut out, row * columns, columns);
        out.push(')');
    }
    out
}

/// Adds `count` parameters after number `from`.
fn list(out: &mut String, from: usize, count: usize) {
    for place in 0..count {
        let comma = if place == 0 { "" } else { "," };
        // Writing to a string does not fail.
        let _ = write!(out, "{comma}${}", from + place + 1);
    }
}

/// The text of a look-up of several keys, `… IN ($1,$2)`, and the keys to bind. Repeats of the
/// first key fill the list up, so that there are few different texts to prepare.
pub fn look_up<T: Clone>(head: &str, keys: &[T]) -> Option<(AssertSqlSafe<String>, Vec<T>)> {
    look_up_and(head, "", keys)
}

/// The text that deletes the rows with one of several keys and returns those keys, and the keys to bind.
pub fn delete<T: Clone>(
    table: &str,
    key: &str,
    keys: &[T],
) -> Option<(AssertSqlSafe<String>, Vec<T>)> {
    look_up_and(&format!("DELETE FROM {table} WHERE {key}"), &format!(" RETURNING {key}"), keys)
}

/// The text `head IN ($1,$2) tail`, and the keys to bind.
pub fn look_up_and<T: Clone>(
    head: &str,
    tail: &str,
    keys: &[T],
) -> Option<(AssertSqlSafe<String>, Vec<T>)> {
    let first = keys.first()?;
    let size = [1, 10, 100, 1_000].into_iter().find(|size| *size >= keys.len())?;
    let mut padded = keys.to_vec();
    padded.resize(size, first.clone());
    let mut sql = format!("{head} IN (");
    list(&mut sql, 0, size);
    sql.push(')');
    sql.push_str(tail);
    Some((AssertSqlSafe(sql), padded))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_numbered_through() {
        assert_eq!(values(2, 3), "($1,$2,$3),($4,$5,$6)");
        let (sql, keys) = look_up("SELECT", &[7, 8, 9]).unwrap();
        assert!(sql.0.ends_with("$9,$10)"));
        assert_eq!(keys, [7, 8, 9, 7, 7, 7, 7, 7, 7, 7]);
        assert!(look_up::<u8>("SELECT", &[]).is_none());
    }
}
