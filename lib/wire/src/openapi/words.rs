//! Turns the names and doc comments of Rust types into those of the document.

use serde_json::Value;

/// The operation id of a call: `declare_incident` for `DeclareIncident`.
pub fn operation_id(name: &str) -> String {
    joined(name, '_')
}

/// The paths that a call may have, the usual one first: `/v1/incidents/declare` for
/// `DeclareIncident`. The second has the noun in the singular, for nouns without a plural.
pub fn paths_of(name: &str) -> Vec<String> {
    let name = joined(name, '-');
    let (verb, noun) = name.split_once('-').unwrap_or((&name, ""));
    if noun.ends_with('s') {
        return vec![format!("/v1/{noun}/{verb}")];
    }
    let plural = match noun.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        _ => format!("{noun}s"),
    };
    [plural, noun.to_owned()].map(|noun| format!("/v1/{noun}/{verb}")).into()
}

fn joined(name: &str, with: char) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !out.is_empty() {
            out.push(with);
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

/// Turns every doc comment in `value` into plain Markdown.
pub fn make_plain(value: &mut Value) {
    match value {
        Value::Object(object) => {
            for (key, inner) in object {
                match inner {
                    Value::String(text) if key == "description" => *text = plain(text),
                    inner => make_plain(inner),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(make_plain),
        _ => {}
    }
}

/// A doc comment as plain Markdown: without links into the Rust documentation, with `null` for
/// `None` and with each paragraph on one line.
pub fn plain(text: &str) -> String {
    let paragraphs: Vec<_> = text.split("\n\n").map(|lines| lines.replace('\n', " ")).collect();
    let text = paragraphs.join("\n\n").replace("`None`", "`null`");
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some((before, (name, after))) =
        rest.split_once("[`").and_then(|(before, link)| Some((before, link.split_once("`]")?)))
    {
        out.extend([before, "`", name, "`"]);
        let target = after.strip_prefix('(').and_then(|target| target.split_once(')'));
        rest = target.map_or(after, |(_, after)| after);
    }
    out + rest
}
