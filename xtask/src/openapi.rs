//! The OpenAPI documents of the servers: the files in the tree must equal those from the types.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

/// A compartment, and its server's own description of its calls.
type Described = (&'static str, fn() -> Value);

/// The compartments that have a document.
const SERVERS: [Described; 4] = [
    ("keys", keys_server::openapi),
    ("accounts", accounts_server::openapi),
    ("payments", payments_server::openapi),
    ("response", response_server::openapi),
];

/// Checks the committed documents, or writes them anew.
pub fn check(root: &Path, bless: bool) -> Result<(), Vec<String>> {
    let check = |(name, openapi): Described| {
        check_document(root, &format!("docs/openapi/{name}.json"), &openapi(), bless)
    };
    let faults: Vec<_> = SERVERS.into_iter().flat_map(check).collect();
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

fn check_document(root: &Path, golden: &str, document: &Value, bless: bool) -> Vec<String> {
    let (path, now) = (root.join(golden), format!("{document:#}\n"));
    if bless {
        let written = fs::write(&path, now);
        return written.err().map(|e| format!("{}: {e}", path.display())).into_iter().collect();
    }
    let before = fs::read_to_string(&path).unwrap_or_default();
    if before == now {
        return Vec::new();
    }
    let before = serde_json::from_str(&before).unwrap_or_default();
    let mut faults = differences(golden, "", &before, document);
    faults.push(format!(
        "{golden} does not show the calls as they are; look at the difference and run: \
         cargo xtask openapi --bless"
    ));
    faults
}

/// The differences between two versions of a document, as JSON pointers (RFC 6901).
fn differences(golden: &str, at: &str, before: &Value, now: &Value) -> Vec<String> {
    match (before, now) {
        (Value::Object(before), Value::Object(now)) => {
            let keys: BTreeSet<_> = before.keys().chain(now.keys()).collect();
            let below = |key: &String| {
                let at = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
                let of = |object: &serde_json::Map<_, _>| object.get(key).cloned();
                let [before, now] = [before, now].map(|object| of(object).unwrap_or_default());
                differences(golden, &at, &before, &now)
            };
            keys.into_iter().flat_map(below).collect()
        }
        _ if before == now => Vec::new(),
        (Value::Null, _) => vec![format!("{golden}: {at}: is missing")],
        (_, Value::Null) => vec![format!("{golden}: {at}: is no longer so")],
        _ => vec![format!("{golden}: {at}: differs")],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::differences;

    #[test]
    fn a_difference_is_named_by_its_path() {
        let before = json!({"paths": {"/v1/a": {"post": 1}, "/v1/b": 2}, "same": [1]});
        let now = json!({"paths": {"/v1/a": {"post": 2}, "/v1/c": 2}, "same": [1]});
        let found = differences("docs/openapi/keys.json", "", &before, &now).join("\n");
        let expected = "docs/openapi/keys.json: /paths/~1v1~1a/post: differs\n\
                        docs/openapi/keys.json: /paths/~1v1~1b: is no longer so\n\
                        docs/openapi/keys.json: /paths/~1v1~1c: is missing";
        assert_eq!(found, expected);
    }
}
