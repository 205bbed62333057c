//! The investigation of a conventional shop. Its only source is the access log on the fallen host.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::ops::Range;
use std::path::Path;

use roaring::RoaringBitmap;

use super::error::{FlatError, at};
use super::server::PAGE;

/// The customers whom the log names. A line about the desk's list names every customer on that
/// page: numbers are never used twice, so the page is the same today.
pub fn named(log: &Path, customers: u32) -> Result<RoaringBitmap, FlatError> {
    let mut named = RoaringBitmap::new();
    for line in BufReader::new(File::open(log).map_err(at(log))?).lines() {
        let shown = shown_by(&line.map_err(at(log))?).unwrap_or(0..0);
        named.insert_range(shown.start..shown.end.min(customers));
    }
    Ok(named)
}

/// The customers who were shown in the answer of a line's request.
fn shown_by(line: &str) -> Option<Range<u32>> {
    let (_, line) = line.split_once(" - ")?;
    let (user, line) = line.split_once(" [")?;
    let (_, line) = line.split_once("] \"")?;
    let (asked, line) = line.split_once("\" ")?;
    if !line.starts_with("200 ") {
        return None;
    }
    let path = asked.split(' ').nth(1)?;
    if path == "/account" {
        let customer: u32 = user.strip_prefix("customer-")?.parse().ok()?;
        return Some(customer..customer.checked_add(1)?);
    }
    let page: u32 = path.strip_prefix("/admin/customers?page=")?.parse().ok()?;
    let first = page.checked_mul(PAGE)?;
    Some(first..first.saturating_add(PAGE))
}

/// The certain part of the shop's knowledge, in a sentence. It would be the same without any theft.
pub fn certain(customers: u32, named: u64) -> String {
    format!(
        "Nobody can be excluded: the fallen host could read the whole database, and nothing else \
         wrote down what it read, so that all {customers} customers count as lost in every field; \
         the log names {named}."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_the_customers_on_its_page() {
        let line = |user: &str, asked: &str, status: u16| {
            let rest = "\"-\" \"Mozilla/5.0\"";
            format!("127.0.0.1 - {user} [17/Jan/2012:09:00:00 +0000] \"{asked}\" {status} 9 {rest}")
        };
        let shown = |user, asked, status| shown_by(&line(user, asked, status));
        assert_eq!(shown("customer-7", "GET /account HTTP/1.1", 200), Some(7..8));
        assert_eq!(shown("desk", "GET /admin/customers?page=2 HTTP/1.1", 200), Some(100..150));
        assert_eq!(shown("-", "GET /account HTTP/1.1", 401), None);
        assert_eq!(shown("-", "POST /login HTTP/1.1", 204), None);
        assert_eq!(shown_by("torn li"), None);
    }
}
