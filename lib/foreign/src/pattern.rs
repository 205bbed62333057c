//! Patterns with a placeholder for the customer.

use cofferdam_core::{Personal, Whose};
use percent_encoding::percent_decode_str;

const CUSTOMER: &str = "{customer}";
const EMAIL: &str = "{email}";

/// Matches a text against a pattern and returns the customers that it names; `None` if it does not
/// match. A match without a placeholder concerns everybody.
pub fn fit(pattern: &str, text: &str) -> Option<Whose> {
    let (path, query) = pattern.split_once('?').unwrap_or((pattern, ""));
    let (text_path, text_query) = text.split_once('?').unwrap_or((text, ""));
    let mut found = fit_path(path, text_path)?;
    for wanted in query.split('&').filter(|part| !part.is_empty()) {
        let (name, value) = wanted.split_once('=').unwrap_or((wanted, "*"));
        let pairs = text_query.split('&').filter_map(|pair| pair.split_once('='));
        let mut values = pairs.filter(|(n, _)| decode(n).expose() == name).map(|(_, v)| v);
        let first = values.next()?;
        found = found.or(fit_part(value, &first.replace('+', " "))?);
        // If a parameter occurs twice, it is unknown which value the shop's server used.
        if values.next().is_some() {
            found = Found::None;
        }
    }
    Some(match found {
        Found::Customer(key) => Whose::Keys(vec![key]),
        Found::Email(address) => Whose::Emails(vec![address]),
        Found::None => Whose::Everybody { why: "the request names no customer".to_owned() },
    })
}

/// The value at a pattern's placeholder.
enum Found {
    None,
    Customer(Personal),
    Email(Personal),
}

impl Found {
    fn or(self, other: Self) -> Self {
        if matches!(self, Self::None) { other } else { self }
    }
}

fn fit_path(pattern: &str, path: &str) -> Option<Found> {
    let mut found = Found::None;
    let (mut wanted, mut segments) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), segments.next()) {
            (None, None) | (Some("**"), _) => return Some(found),
            (Some(wanted), Some(segment)) => found = found.or(fit_part(wanted, segment)?),
            _ => return None,
        }
    }
}

/// Matches one segment or value. The pattern is a literal, `*`, or has one placeholder with an
/// optional text before and after it.
fn fit_part(wanted: &str, part: &str) -> Option<Found> {
    let text = decode(part);
    for (placeholder, make) in
        [(CUSTOMER, Found::Customer as fn(Personal) -> Found), (EMAIL, Found::Email)]
    {
        if let Some((before, after)) = wanted.split_once(placeholder) {
            let inner = text.expose().strip_prefix(before)?.strip_suffix(after)?;
            return (!inner.is_empty()).then(|| make(Personal::new(inner)));
        }
    }
    (wanted == "*" || wanted == text.expose()).then_some(Found::None)
}

fn decode(text: &str) -> Personal {
    Personal::new(percent_decode_str(text).decode_utf8_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_finds_its_placeholder_or_does_not_match() {
        let key = |text: &str| Some(Whose::Keys(vec![Personal::new(text)]));
        let all = || Some(Whose::Everybody { why: "the request names no customer".to_owned() });
        for (pattern, text, whose) in [
            ("/customers/{customer}", "/customers/47%2011?x=1", key("47 11")),
            ("/customers/{customer}", "/customers/47/orders", None),
            ("/customers/{customer}/**", "/customers/47/orders/2", key("47")),
            ("/customers/{customer}", "/customers/", None),
            ("/*/p-{customer}.json", "/a/p-9.json", key("9")),
            ("/*/p-{customer}.json", "/a/q-9.json", None),
            ("/find?id={customer}", "/find?a=b&id=7", key("7")),
            ("/find?id={customer}", "/find?id=7&id=8", all()),
            ("/find?id={customer}", "/find", None),
            ("/export", "/export?all=1", all()),
        ] {
            assert_eq!(fit(pattern, text), whose, "{pattern} {text}");
        }
        let email = Whose::Emails(vec![Personal::new("ada@post.example")]);
        assert_eq!(fit("/find?q={email}", "/find?q=ada%40post.example"), Some(email));
    }
}
