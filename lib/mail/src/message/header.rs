//! Header fields: folded, and encoded if they are not plain ASCII (RFC 2047).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Mailbox;

/// The longest line that a header should have, without CRLF.
const LINE: usize = 76;
/// The number of bytes of UTF-8 in one encoded word. The word then has 64 characters, and a line
/// with the longest field name stays below [`LINE`].
const CHUNK: usize = 39;

/// Appends a field. The value must be ASCII without line breaks.
pub fn raw(out: &mut String, name: &str, value: &str) {
    out.push_str(name);
    out.push_str(": ");
    out.push_str(value);
    out.push_str("\r\n");
}

/// Appends a field with free text.
pub fn text(out: &mut String, name: &str, value: &str) {
    let value = one_line(value);
    let plain = is_plain(&value) && name.len() + 2 + value.len() <= LINE;
    raw(out, name, &if plain { value } else { encoded_words(&value) });
}

/// Appends a field with a name and an address. The address goes to a new line if it does not fit.
pub fn mailbox(out: &mut String, name: &str, mailbox: &Mailbox) {
    let address = mailbox.address.expose();
    let Some(person) = mailbox.name.as_ref().map(|name| one_line(name.expose())) else {
        return raw(out, name, address);
    };
    let phrase = if is_plain(&person) && name.len() + 4 + person.len() * 2 <= LINE {
        quoted(&person)
    } else {
        encoded_words(&person)
    };
    let last = phrase.rsplit("\r\n").next().map_or(0, str::len);
    let fits = name.len() + 2 + last + 3 + address.len() <= LINE;
    let between = if fits { " " } else { "\r\n " };
    raw(out, name, &format!("{phrase}{between}<{address}>"));
}

/// Turns control characters into blanks, so that no line break in a name starts a new header.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Whether the text needs no encoding: it is printable ASCII, has no blanks that folding or
/// trimming would remove, and does not look like an encoded word.
fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b == b' ' || b.is_ascii_graphic())
        && !text.starts_with(' ')
        && !text.ends_with(' ')
        && !text.contains("  ")
        && !text.contains("=?")
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

/// The text as encoded words, one per line. No character is split over two words.
fn encoded_words(text: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut rest = text;
    loop {
        let (chunk, tail) = rest.split_at(rest.floor_char_boundary(CHUNK));
        words.push(format!("=?utf-8?B?{}?=", STANDARD.encode(chunk)));
        rest = tail;
        if rest.is_empty() {
            return words.join("\r\n ");
        }
    }
}
