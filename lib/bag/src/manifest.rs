//! Manifests: one line per file with the file's hash and path.

use std::collections::BTreeMap;
use std::path::{Component, Path};

/// The longest line that a manifest may have, in bytes.
const MAX_LINE: usize = 8_192;

/// Hexadecimal SHA-256 by path. A path is relative to the bag and separated by `/`.
pub type Hashes = BTreeMap<String, String>;

/// Whether a path stays within the bag and fits a line of a manifest.
#[must_use]
pub fn is_safe_path(path: &str) -> bool {
    let plain = |part: Component<'_>| matches!(part, Component::Normal(_));
    !path.is_empty()
        && path.len() <= MAX_LINE / 2
        && !path.chars().any(char::is_control)
        && !path.contains('\\')
        && !path.split('/').any(|part| part.is_empty() || part == "." || part == "..")
        && Path::new(path).components().all(plain)
}

/// The text of a manifest, sorted by path.
#[must_use]
pub fn write(hashes: &Hashes) -> String {
    let lines = hashes.iter().map(|(path, hash)| format!("{hash}  {}", encode(path)));
    lines.chain([String::new()]).collect::<Vec<_>>().join("\n")
}

/// Parses a manifest. The error is the number of the faulty line, from 1, and the fault.
pub fn read(text: &str) -> Result<Hashes, (usize, &'static str)> {
    let mut hashes = Hashes::new();
    for (number, line) in (1..).zip(text.lines()) {
        let bad = |fault| (number, fault);
        if line.len() > MAX_LINE {
            return Err(bad("the line is too long"));
        }
        let (hash, path) = line.split_once([' ', '\t']).ok_or(bad("hash or path is missing"))?;
        let path = path.trim_start_matches([' ', '\t', '*']);
        let hex = hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit());
        if !hex {
            return Err(bad("the hash is not a SHA-256"));
        }
        let path =
            decode(path).filter(|path| is_safe_path(path)).ok_or(bad("the path is not allowed"))?;
        if hashes.insert(path, hash.to_ascii_lowercase()).is_some() {
            return Err(bad("the path is listed twice"));
        }
    }
    Ok(hashes)
}

/// Encodes line breaks and the percent sign (RFC 8493, section 2.1.3).
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
        fn a_written_manifest_reads_back(names in prop::collection::btree_set("[a-z%. ]{1,9}", 0..9)) {
            let safe = names.into_iter().filter(|name| is_safe_path(name));
            let hashes: Hashes = safe.map(|name| (name, "0".repeat(64))).collect();
            // A reader takes a blank in front of a path for part of the separator.
            prop_assume!(hashes.keys().all(|name| !name.starts_with(' ')));
            prop_assert_eq!(read(&write(&hashes)), Ok(hashes));
        }
    }

    #[test]
    fn paths_that_leave_the_bag_are_refused() {
        for path in ["../x", "/etc/passwd", "a/../b", "a//b", "./a", "a\\b", "", "a\u{7}"] {
            assert!(!is_safe_path(path), "{path:?}");
            assert!(read(&format!("{}  {path}\n", "0".repeat(64))).is_err(), "{path:?}");
        }
    }
}
