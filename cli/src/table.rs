//! Small tables for the terminal.

use cofferdam_core::Timestamp;
use staff::printable;

/// A table with a row of headings.
pub fn headed<const N: usize>(
    head: [&str; N],
    rows: impl IntoIterator<Item = Vec<String>>,
) -> Vec<String> {
    let head = head.map(str::to_owned).to_vec();
    lines(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
}

/// Rows as lines. Each column is as wide as its longest cell. A column whose last cell is a number
/// is aligned to the right.
pub fn lines(rows: &[Vec<String>]) -> Vec<String> {
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| printable(cell)).collect()).collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let last = rows.last().cloned().unwrap_or_default();
    let numeric = |column| last.get(column).is_some_and(|cell: &String| is_number(cell));
    let form: Vec<(usize, bool)> = (0..columns).map(|c| (width(c), numeric(c))).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&form).map(|(cell, (width, numeric))| {
            if *numeric { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// `1,234,567`
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// An instant to the second, in UTC.
pub fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// A window of time; an open end is `now`.
pub fn window(from: Timestamp, to: Option<Timestamp>) -> String {
    format!("{} to {}", instant(from), to.map_or("now".to_owned(), instant))
}

/// Names, joined by commas.
pub fn names<T: std::fmt::Display>(hosts: &[T]) -> String {
    hosts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn is_number(cell: &str) -> bool {
    !cell.is_empty() && cell.bytes().all(|b| b.is_ascii_digit() || b == b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_numbers_are_aligned_right() {
        let rows = [["", "read"], ["name", "1,234"], ["phone", "7"]];
        let rows: Vec<_> = rows.iter().map(|r| r.map(str::to_owned).to_vec()).collect();
        assert_eq!(lines(&rows), ["        read", "name   1,234", "phone      7"]);
        assert_eq!(lines(&[]), [""; 0]);
    }

    #[test]
    fn numbers_are_grouped() {
        for (n, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (24_000_000, "24,000,000")] {
            assert_eq!(number(n), text);
        }
    }
}
