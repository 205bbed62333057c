//! Names and doc comments of Rust as the document shows them.

use serde_json::Value;

/// `DeclareIncident` as `declare_incident`.
pub fn operation_id(name: &str) -> String {
    joined(name, '_')
}

/// The paths that say a call's name, the usual one first: `DeclareIncident` is
/// `/v1/incidents/declare`; the noun may stand as it is where it has no plural.
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

/// Makes plain Markdown of every doc comment in `value`.
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

/// A doc comment without links into the Rust documentation, `null` for `None`, and each paragraph on
/// a line of its own.
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
