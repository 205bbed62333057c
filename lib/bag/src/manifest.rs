//! Manifests: a line a file, of its hash and its path.

use std::collections::BTreeMap;
use std::path::{Component, Path};

/// The longest line that is read.
const MAX_LINE: usize = 8_192;

/// Hashes by path, as the path stands in the bag: with `/`, percent-encoded.
pub type Hashes = BTreeMap<String, String>;

/// Whether a path stays within the bag, and can stand in a line.
#[must_use]
pub fn is_good(path: &str) -> bool {
    let plain = |part: Component<'_>| matches!(part, Component::Normal(_));
    !path.is_empty()
        && path.len() <= MAX_LINE / 2
        && !path.chars().any(char::is_control)
        && !path.contains('\\')
        && !path.split('/').any(|part| part.is_empty() || part == "." || part == "..")
        && Path::new(path).components().all(plain)
}

/// The manifest's text, in the order of the paths.
#[must_use]
pub fn write(hashes: &Hashes) -> String {
    let lines = hashes.iter().map(|(path, hash)| format!("{hash}  {}", encode(path)));
    lines.chain([String::new()]).collect::<Vec<_>>().join("\n")
}

/// Reads a manifest; what is wrong with which line.
pub fn read(text: &str) -> Result<Hashes, (usize, &'static str)> {
    let mut hashes = Hashes::new();
    for (number, line) in (1..).zip(text.lines()) {
        let bad = |why| (number, why);
        if line.len() > MAX_LINE {
            return Err(bad("the line is too long"));
        }
        let (hash, path) = line.split_once([' ', '\t']).ok_or(bad("it has no hash and path"))?;
        let path = path.trim_start_matches([' ', '\t', '*']);
        let hex = hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit());
        if !hex {
            return Err(bad("the hash is no SHA-256"));
        }
        let path = decode(path).filter(|path| is_good(path)).ok_or(bad("the path is not good"))?;
        if hashes.insert(path, hash.to_ascii_lowercase()).is_some() {
            return Err(bad("the path stands twice"));
        }
    }
    Ok(hashes)
}

/// RFC 8493, section 2.1.3: line breaks and the percent sign are encoded.
fn encode(path: &str) -> String {
    path.replace('%', "%25").replace('\n', "%0A").replace('\r', "%0D")
}

fn decode(path: &str) -> Option<String> {
    let mut parts = path.split('%');
    let mut out = parts.next()?.to_owned();
    for part in parts {
        let (code, rest) = part.split_at_checked(2)?;
        out.push(match code {
            "25" => '%',
            "0A" | "0a" => '\n',
            "0D" | "0d" => '\r',
            _ => return None,
        });
        out.push_str(rest);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn foreign_text_never_panics(text: String) {
            let _ = read(&text);
        }

        #[test]
        fn what_is_written_reads_back(names in prop::collection::btree_set("[a-z%. ]{1,9}", 0..9)) {
            let good = names.into_iter().filter(|name| is_good(name));
            let hashes: Hashes = good.map(|name| (name, "0".repeat(64))).collect();
            // A blank in front of a path is taken for a separator: nobody writes one.
            prop_assume!(hashes.keys().all(|name| !name.starts_with(' ')));
            prop_assert_eq!(read(&write(&hashes)), Ok(hashes));
        }
    }

    #[test]
    fn paths_that_leave_the_bag_are_refused() {
        for path in ["../x", "/etc/passwd", "a/../b", "a//b", "./a", "a\\b", "", "a\u{7}"] {
            assert!(!is_good(path), "{path:?}");
            assert!(read(&format!("{}  {path}\n", "0".repeat(64))).is_err(), "{path:?}");
        }
    }
}
