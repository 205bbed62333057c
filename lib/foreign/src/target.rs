//! The target of a request, read as nginx and as Apache read it.
//!
//! Sources: nginx, `ngx_http_parse_complex_uri` with `merge_slashes on`; Apache 2.4,
//! `ap_normalize_path` with `MergeSlashes On`, and the directive `AllowEncodedSlashes`.

use std::collections::BTreeMap;

/// The most layers of percent-encoding that are taken off for the loose reading.
const MAX_LAYERS: usize = 6;

/// The path and the parameters of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The decoded segments of the path, without the empty one before the first slash.
    pub segments: Vec<String>,
    /// The decoded parameters, in the order of the request.
    pub parameters: Vec<(String, String)>,
}

/// The target of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The reading on which nginx and Apache agree; `None` if they differ, or if one refuses it.
    pub exact: Option<Reading>,
    /// The loosest reading: case, encodings, backslashes, path parameters and a slash at the end
    /// make no difference in it. An application behind the server may read as loosely.
    pub loose: Reading,
}

impl Target {
    /// Reads a target as the request line has it.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let (path, query) = split(text);
        let odd = text.contains(|c: char| c.is_whitespace() || c.is_control());
        let exact = nginx(path).filter(|segments| !odd && apache(path).as_ref() == Some(segments));
        let exact =
            exact.map(|segments| Reading { segments, parameters: parameters(query, &['&']) });
        Self { exact, loose: loose(path, query) }
    }

    /// Whether a parameter occurs in more spellings than the exact one.
    #[must_use]
    pub fn respells(&self, name: &str) -> bool {
        let folded = fold_name(name);
        self.loose.parameters.iter().filter(|(other, _)| *other == folded).count() > 1
    }
}

/// Splits a target into path and query, without its fragment and, in absolute form, its host.
fn split(text: &str) -> (&str, &str) {
    let text = text.split('#').next().unwrap_or_default();
    let text = match text.split_once("://") {
        Some((scheme, rest)) if scheme.bytes().all(|b| b.is_ascii_alphanumeric()) => {
            rest.find(['/', '?']).map_or("/", |at| &rest[at..])
        }
        _ => text,
    };
    match text.split_once('?') {
        Some(("", query)) => ("/", query),
        Some((path, query)) => (path, query),
        None => (text, ""),
    }
}

/// nginx decodes first. Then it merges slashes and follows dot segments. It refuses a path that
/// leads above the root, an invalid encoding and NUL.
fn nginx(path: &str) -> Option<Vec<String>> {
    let decoded = decode(path.strip_prefix('/')?)?;
    resolve(decoded.split('/'), true)
}

/// Apache follows dot segments with their dots decoded, and decodes encoded slashes afterwards.
fn apache(path: &str) -> Option<Vec<String>> {
    let dots = path.strip_prefix('/')?.replace("%2e", ".").replace("%2E", ".");
    let segments = resolve(dots.split('/'), true)?;
    let mut decoded = Vec::new();
    for segment in segments {
        let text = decode(&segment)?;
        let parts: Vec<_> = text.split('/').map(str::to_owned).collect();
        // Apache does not look for dot segments again.
        if parts.len() > 1 && parts.iter().any(|part| part.is_empty() || is_dots(part)) {
            return None;
        }
        decoded.extend(parts);
    }
    Some(decoded)
}

fn is_dots(segment: &str) -> bool {
    segment == "." || segment == ".."
}

/// Drops empty segments and follows dot segments. A path that ends with a slash keeps an empty last
/// segment. Above the root, a `strict` reader refuses.
fn resolve<'a>(parts: impl Iterator<Item = &'a str>, strict: bool) -> Option<Vec<String>> {
    let (mut segments, mut at_slash) = (Vec::new(), true);
    for part in parts {
        at_slash = part.is_empty() || is_dots(part);
        match part {
            ".." if segments.pop().is_none() && strict => return None,
            "" | "." | ".." => {}
            part => segments.push(part.to_owned()),
        }
    }
    if at_slash {
        segments.push(String::new());
    }
    Some(segments)
}

/// Takes one layer of percent-encoding off; `None` for an invalid encoding or NUL.
fn decode(text: &str) -> Option<String> {
    let (bytes, mut decoded, mut at) = (text.as_bytes(), Vec::with_capacity(text.len()), 0);
    while let Some(byte) = bytes.get(at) {
        let byte = if *byte == b'%' {
            let digit = |place: usize| (*bytes.get(place)? as char).to_digit(16);
            at += 2;
            u8::try_from(digit(at - 1)? * 16 + digit(at)?).ok()?
        } else {
            *byte
        };
        if byte == 0 {
            return None;
        }
        decoded.push(byte);
        at += 1;
    }
    Some(String::from_utf8_lossy(&decoded).into_owned())
}

/// Decodes what is validly encoded and leaves the rest.
fn decode_loosely(text: &str) -> String {
    let mut text = text.to_owned();
    for _ in 0..MAX_LAYERS {
        let decoded = percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned();
        if decoded == text {
            break;
        }
        text = decoded;
    }
    text.retain(|c| !c.is_control());
    text.to_lowercase()
}

fn parameters(query: &str, separators: &[char]) -> Vec<(String, String)> {
    let decoded = |text: &str| {
        let text = text.replace('+', " ");
        decode(&text).unwrap_or(text)
    };
    let pair = |part: &str| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (decoded(name), decoded(value))
    };
    query.split(separators).filter(|part| !part.is_empty()).map(pair).collect()
}

fn loose(path: &str, query: &str) -> Reading {
    // A semicolon starts parameters of a segment in Java, and separates parameters elsewhere.
    let without = |segment: &str| segment.split(';').next().unwrap_or_default().trim().to_owned();
    let path = decode_loosely(path).replace('\\', "/");
    let (path, more) = path.split_once('?').unwrap_or((&path, ""));
    let path: Vec<_> = path.split('/').map(without).collect();
    let mut segments = resolve(path.iter().map(String::as_str), false).unwrap_or_default();
    if segments.last().is_some_and(String::is_empty) {
        segments.pop();
    }
    let query = format!("{more}&{}", decode_loosely(&query.replace('+', " ")));
    let pairs = parameters(&query, &['&', ';', '?']);
    let parameters = pairs.into_iter().map(|(name, value)| (fold_name(&name), value)).collect();
    Reading { segments, parameters }
}

/// The name of a parameter without its case, its brackets and what PHP makes an underscore of.
pub fn fold_name(name: &str) -> String {
    let name = name.to_lowercase();
    let name = name.trim().strip_prefix("amp;").unwrap_or(name.trim());
    let end = name.find(['[', '(', '%']).unwrap_or(name.len());
    name[..end].trim().replace(['.', ' '], "_")
}

/// The text of a log line without the escapes of nginx and Apache: `\xHH`, `\"`, `\\`, `\n`, `\t`.
pub fn unescape(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let known = BTreeMap::from([(b'n', b'\n'), (b't', b'\t'), (b'r', b'\r'), (b'v', 0x0b)]);
    let (bytes, mut plain, mut at) = (text.as_bytes(), Vec::with_capacity(text.len()), 0);
    while let Some(byte) = bytes.get(at) {
        at += 1;
        let Some(next) = bytes.get(at).filter(|_| *byte == b'\\') else {
            plain.push(*byte);
            continue;
        };
        at += 1;
        let digit = |place: usize| (*bytes.get(place)? as char).to_digit(16);
        match (next, digit(at).zip(digit(at + 1))) {
            (b'x', Some((high, low))) => {
                plain.push(u8::try_from(high * 16 + low).unwrap_or_default());
                at += 2;
            }
            (next, _) => plain.push(known.get(next).copied().unwrap_or(*next)),
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(text: &str) -> Option<String> {
        let reading = Target::parse(text).exact?;
        let parameters: Vec<_> =
            reading.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Some(format!("/{} {}", reading.segments.join("/"), parameters.join("&")))
    }

    #[test]
    fn servers_agree_on_these_targets() {
        for (text, expected) in [
            ("/a/b", "/a/b "),
            ("//a///b", "/a/b "),
            ("/./a/x/../b", "/a/b "),
            ("/a/b/", "/a/b/ "),
            ("/a/b/.", "/a/b/ "),
            ("/a%2Fb", "/a/b "),
            ("/%61/b", "/a/b "),
            ("/a%252Fb", "/a%2Fb "),
            ("/x/%2e%2E/a", "/a "),
            ("/a#b?c=1", "/a "),
            ("/a?b=1&c=%32#d", "/a b=1&c=2"),
            ("http://shop.example/a?b=1", "/a b=1"),
            ("http://shop.example", "/ "),
            ("/a?%62=1&b+c=", "/a b=1&b c="),
            ("/a;b=1", "/a;b=1 "),
            ("/a\\b", "/a\\b "),
        ] {
            assert_eq!(exact(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn servers_differ_on_these_targets_or_refuse_them() {
        for text in
            ["/..", "/a/../../b", "/%", "/%zz", "/a%00", "/a%2F..%2Fb", "/a b", "*", "", "a/b"]
        {
            assert_eq!(exact(text), None, "{text}");
        }
    }

    #[test]
    fn the_loose_reading_knows_no_spelling() {
        for text in [
            "/A/B",
            "/a;x=1/b;jsessionid=3",
            "\\a\\b\\",
            "/a/b/",
            "/%2561/%62",
            "/../a/c/%2e%2e/b",
            "/a%00/b",
            "/a%2f%2fb",
        ] {
            assert_eq!(Target::parse(text).loose.segments, ["a", "b"], "{text}");
        }
        for text in
            ["/?id[]=7", "/?ID=7", "/?a=1;id=7", "/?i%64=7", "/%3Fid=7", "/?a=1&amp;id[0]=7"]
        {
            let parameters = Target::parse(text).loose.parameters;
            assert!(
                parameters.contains(&("id".to_owned(), "7".to_owned())),
                "{text} {parameters:?}"
            );
        }
        assert!(Target::parse("/?id=1&ID=2").respells("id"));
        assert!(!Target::parse("/?id=1&idea=2").respells("id"));
    }

    #[test]
    fn escapes_of_the_log_are_undone() {
        assert_eq!(unescape(r#"GET /\x22a\"\\ \xc3\xa4"#), "GET /\"a\"\\ ä");
        assert_eq!(unescape(r"\x"), "x");
    }
}
