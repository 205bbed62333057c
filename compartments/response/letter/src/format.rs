//! The English form of fields, instants and numbers in notice, report and letters.

use cofferdam_core::{Field, Timestamp};

/// A field as a heading in a report.
#[must_use]
pub const fn heading(field: Field) -> &'static str {
    match field {
        Field::Name => "Name",
        Field::Email => "E-mail address",
        Field::Phone => "Telephone",
        Field::BillingAddress => "Billing address",
        Field::ShippingAddress => "Shipping address",
        Field::CardLast4 => "Card, last four",
        Field::Password => "Password",
        Field::Session => "Session",
        Field::CardNumber => "Card number",
        Field::CardExpiry => "Card expiry",
        Field::CardMasked => "Stored card, last four",
        Field::BroughtName => "Name, in a brought table",
        Field::BroughtEmail => "E-mail address, in a brought table",
        Field::BroughtAddress => "Postal address, in a brought table",
    }
}

/// Formats an instant as `15 January 2012, 04:00 UTC`.
#[must_use]
pub fn instant(at: Timestamp) -> String {
    at.strftime("%-d %B %Y, %H:%M UTC").to_string()
}

/// Formats a day as `15 January 2012`.
#[must_use]
pub fn day(at: Timestamp) -> String {
    at.strftime("%-d %B %Y").to_string()
}

/// Formats a number as `24 000 000`, grouped by narrow no-break spaces, so that no line breaks
/// within it.
#[must_use]
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| std::str::from_utf8(group).unwrap_or_default())
        .collect();
    groups.join("\u{202f}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_read_as_people_write_them() {
        assert_eq!(number(24_000_000), "24\u{202f}000\u{202f}000");
        assert_eq!(number(7), "7");
        let at: Timestamp = "2012-01-15T04:05:06Z".parse().unwrap();
        assert_eq!(instant(at), "15 January 2012, 04:05 UTC");
        assert_eq!(day(at), "15 January 2012");
        assert_eq!(heading(Field::CardLast4), "Card, last four");
    }
}
