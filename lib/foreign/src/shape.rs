//! The shape of a request or an event: what it has in common with many others, without what it says
//! about a person.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::mapping::{EventRule, Place};
use crate::web::Request;

/// The most characters of a shape, and of a part of it.
const MAX_SHAPE: usize = 200;
const MAX_PART: usize = 40;

/// The shape of a request: `GET /customers/{n}/profile?tab`.
#[must_use]
pub fn of_request(request: &Request<'_>) -> String {
    let (path, query) = request.target.split_once('?').unwrap_or((request.target, ""));
    let path: Vec<_> = path.split('/').map(part).collect();
    let names: BTreeSet<_> = query
        .split('&')
        .filter_map(|pair| pair.split('=').next())
        .filter(|name| !name.is_empty())
        .map(part)
        .collect();
    let mark = if names.is_empty() { "" } else { "?" };
    let names = names.into_iter().collect::<Vec<_>>().join("&");
    cut(format!("{} {}{mark}{names}", part(request.method), path.join("/")))
}

/// The shape of an event: the values at the places by which rules choose.
#[must_use]
pub fn of_event(event: &Value, rules: &[EventRule], more: &[&str]) -> String {
    let named = rules.iter().flat_map(|rule| rule.when.keys()).map(Place::as_str);
    let places: BTreeSet<&str> = named.chain(more.iter().copied()).collect();
    let value = |place: &&str| match event.pointer(place) {
        Some(Value::String(text)) => Some(format!("{place} = {}", part(text))),
        Some(Value::Null) | None => None,
        Some(Value::Object(_) | Value::Array(_)) => Some(format!("{place} = …")),
        Some(other) => Some(format!("{place} = {}", part(&other.to_string()))),
    };
    let values: Vec<_> = places.iter().filter_map(value).collect();
    if values.is_empty() {
        let names = event.as_object().into_iter().flat_map(|object| object.keys());
        return cut(format!(
            "an event with {}",
            names.map(|n| part(n)).collect::<Vec<_>>().join(", ")
        ));
    }
    cut(values.join(", "))
}

/// A part of a shape. Numbers, addresses and long texts become placeholders.
fn part(text: &str) -> String {
    let text = percent_encoding::percent_decode_str(text).decode_utf8_lossy();
    let hex = |c: char| c.is_ascii_hexdigit() || c == '-';
    if text.contains('@') {
        "{address}".to_owned()
    } else if text.len() >= 16 && text.chars().all(hex) {
        "{id}".to_owned()
    } else if text.chars().count() > MAX_PART || text.chars().any(|c| c.is_control() || c == ' ') {
        "{text}".to_owned()
    } else {
        without_numbers(&text)
    }
}

fn without_numbers(text: &str) -> String {
    let (mut shape, mut in_number) = (String::with_capacity(text.len()), false);
    for c in text.chars() {
        if !c.is_numeric() {
            shape.push(c);
        } else if !in_number {
            shape.push_str("{n}");
        }
        in_number = c.is_numeric();
    }
    shape
}

fn cut(text: String) -> String {
    if text.chars().count() > MAX_SHAPE { text.chars().take(MAX_SHAPE).collect() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_says_nothing_about_a_person() {
        for (target, shape) in [
            ("/customers/4711/profile?tab=ada&x=1", "GET /customers/{n}/profile?tab&x"),
            ("/c/ada%40post.example", "GET /c/{address}"),
            ("/c/a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "GET /c/{id}"),
            ("/c/p-47-b", "GET /c/p-{n}-b"),
            ("/c/ada%20lovelace", "GET /c/{text}"),
            ("/", "GET /"),
        ] {
            let request = Request { method: "GET", target, status: None, body: None };
            assert_eq!(of_request(&request), shape);
        }
        let event = serde_json::json!({ "a": "view 7", "b": 7, "c": "p7" });
        assert_eq!(of_event(&event, &[], &["/a", "/c", "/d"]), "/a = {text}, /c = p{n}");
        assert_eq!(of_event(&event, &[], &[]), "an event with a, b, c");
    }
}
