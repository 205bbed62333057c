//! Numbers, instants and names as people read them.

use std::collections::BTreeMap;
use std::fmt::Display;

use cofferdam_core::Timestamp;

/// Formats a number as `1,234,567`.
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

/// Formats an instant to the second, in UTC.
pub fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// Formats a window of time. An open end is `now`.
pub fn window(from: Timestamp, to: Option<Timestamp>) -> String {
    format!("{} to {}", instant(from), to.map_or("now".to_owned(), instant))
}

/// Joins names with commas.
pub fn names<T: Display>(all: &[T]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Formats the largest counts by name, as `US 12, DE 3 and 4 more`; `None` if there is none.
pub fn largest<K: Display + Ord>(counts: &BTreeMap<K, u64>, most: usize) -> Option<String> {
    let mut all: Vec<_> = counts.iter().collect();
    all.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let (first, rest) = all.split_at(all.len().min(most));
    let named: Vec<_> = first.iter().map(|(name, n)| format!("{name} {}", number(**n))).collect();
    let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
    (!named.is_empty()).then(|| format!("{}{more}", named.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (n, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (24_000_000, "24,000,000")] {
            assert_eq!(number(n), text);
        }
    }

    #[test]
    fn the_largest_counts_come_first_and_the_rest_is_counted() {
        let counts = BTreeMap::from([("DE", 3), ("FR", 1), ("US", 1_200)]);
        assert_eq!(largest(&counts, 2).as_deref(), Some("US 1,200, DE 3 and 1 more"));
        assert_eq!(largest(&counts, 3).as_deref(), Some("US 1,200, DE 3, FR 1"));
        assert_eq!(largest::<&str>(&BTreeMap::new(), 3), None);
    }
}
