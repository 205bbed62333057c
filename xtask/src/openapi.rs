//! The OpenAPI document of `keys`: what stands in the tree is what the types of the calls say.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

const GOLDEN: &str = "docs/openapi/keys.json";

/// Checks the committed document, or writes it anew.
pub fn check(root: &Path, bless: bool) -> Result<(), Vec<String>> {
    let (path, document) = (root.join(GOLDEN), keys_server::openapi());
    let now = format!("{document:#}\n");
    if bless {
        return fs::write(&path, now).map_err(|e| vec![format!("{}: {e}", path.display())]);
    }
    let before = fs::read_to_string(&path).unwrap_or_default();
    if before == now {
        return Ok(());
    }
    let before = serde_json::from_str(&before).unwrap_or_default();
    let mut faults = differences("", &before, &document);
    faults.push(format!(
        "{GOLDEN} does not show the calls as they are; look at the difference and run: \
         cargo xtask openapi --bless"
    ));
    Err(faults)
}

/// Where the two differ, as JSON pointers (RFC 6901).
fn differences(at: &str, before: &Value, now: &Value) -> Vec<String> {
    match (before, now) {
        (Value::Object(before), Value::Object(now)) => {
            let keys: BTreeSet<_> = before.keys().chain(now.keys()).collect();
            let below = |key: &String| {
                let at = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
                let of = |object: &serde_json::Map<_, _>| object.get(key).cloned();
                differences(&at, &of(before).unwrap_or_default(), &of(now).unwrap_or_default())
            };
            keys.into_iter().flat_map(below).collect()
        }
        _ if before == now => Vec::new(),
        (Value::Null, _) => vec![format!("{GOLDEN}: {at}: is missing")],
        (_, Value::Null) => vec![format!("{GOLDEN}: {at}: is no longer so")],
        _ => vec![format!("{GOLDEN}: {at}: differs")],
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
        let found = differences("", &before, &now).join("\n");
        let expected = "docs/openapi/keys.json: /paths/~1v1~1a/post: differs\n\
                        docs/openapi/keys.json: /paths/~1v1~1b: is no longer so\n\
                        docs/openapi/keys.json: /paths/~1v1~1c: is missing";
        assert_eq!(found, expected);
    }
}
