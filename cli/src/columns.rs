//! The layout of every listing: columns under a row of headings.

use staff::printable;

/// Lays out rows under headings, in aligned columns.
pub fn headed<const N: usize>(
    head: [&str; N],
    rows: impl IntoIterator<Item = Vec<String>>,
) -> Vec<String> {
    let head = head.map(str::to_owned).to_vec();
    aligned(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
}

/// Lays out rows under headings, or gives one sentence in place of an empty listing.
pub fn listing<const N: usize, T>(
    head: [&str; N],
    items: &[T],
    row: impl Fn(&T) -> Vec<String>,
    if_empty: &str,
) -> Vec<String> {
    if items.is_empty() {
        return vec![if_empty.to_owned()];
    }
    headed(head, items.iter().map(row))
}

/// Lays out rows as lines. Each column is as wide as its longest cell. A column is aligned to the
/// right if its last cell is a number.
pub fn aligned(rows: &[Vec<String>]) -> Vec<String> {
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| printable(cell)).collect()).collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        // The formatter takes no wider ones.
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0).min(usize::from(u16::MAX))
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

fn is_number(cell: &str) -> bool {
    !cell.is_empty() && cell.bytes().all(|b| b.is_ascii_digit() || b == b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_very_long_cell_is_laid_out() {
        let rows =
            [vec!["x".repeat(70_000), "end".to_owned()], vec!["y".to_owned(), "z".to_owned()]];
        let lines = aligned(&rows);
        assert!(lines[0].ends_with("x  end") && lines[1].ends_with('z'));
    }

    #[test]
    fn columns_line_up_and_numbers_are_aligned_right() {
        let rows = [["", "read"], ["name", "1,234"], ["phone", "7"]];
        let rows: Vec<_> = rows.iter().map(|r| r.map(str::to_owned).to_vec()).collect();
        assert_eq!(aligned(&rows), ["        read", "name   1,234", "phone      7"]);
        assert_eq!(aligned(&[]), [""; 0]);
    }

    #[test]
    fn an_empty_listing_says_so() {
        let row = |n: &u32| vec![n.to_string()];
        assert_eq!(listing(["n"], &[7], row, "nothing"), ["n", "7"]);
        assert_eq!(listing(["n"], &[], row, "nothing"), ["nothing"]);
    }
}
