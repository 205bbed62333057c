//! Bodies in quoted-printable, or in base64 if that is shorter (RFC 2045, section 6).

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The longest encoded line, without CRLF.
const LINE: usize = 76;

/// Appends one part: its headers, a blank line and its encoded text.
pub fn part(out: &mut String, kind: &str, text: &str) {
    let text = canonical(text);
    out.push_str("Content-Type: ");
    out.push_str(kind);
    out.push_str("; charset=utf-8\r\nContent-Transfer-Encoding: ");
    // Quoted-printable takes three characters for each special byte. Base64 takes four for any
    // three bytes.
    let special = text.bytes().filter(|b| !is_literal(*b)).count();
    if special * 6 > text.len() {
        out.push_str("base64\r\n\r\n");
        base64(out, &text);
    } else {
        out.push_str("quoted-printable\r\n\r\n");
        quoted_printable(out, &text);
    }
}

/// Appends the headers of a part in quoted-printable and the blank line after them.
pub fn quoted_printable_head(out: &mut String, kind: &str) {
    out.push_str("Content-Type: ");
    out.push_str(kind);
    out.push_str("; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n");
}

/// The text with CRLF at the end of every line, including the last.
fn canonical(text: &str) -> String {
    let mut out = text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n");
    if !out.ends_with("\r\n") {
        out.push_str("\r\n");
    }
    out
}

fn base64(out: &mut String, text: &str) {
    for line in text.as_bytes().chunks(LINE / 4 * 3) {
        STANDARD.encode_string(line, out);
        out.push_str("\r\n");
    }
}

/// Appends each line of `text` in quoted-printable.
pub fn quoted_printable(out: &mut String, text: &str) {
    for line in text.lines() {
        let mut length = 0;
        for (place, byte) in line.bytes().enumerate() {
            let last = place + 1 == line.len();
            let literal = is_literal(byte) && !(last && matches!(byte, b' ' | b'\t'));
            let width = if literal { 1 } else { 3 };
            // The last column is for the `=` of a soft break.
            if length + width >= LINE {
                out.push_str("=\r\n");
                length = 0;
            }
            if literal {
                out.push(char::from(byte));
            } else {
                // Writing to a string never fails.
                let _ = write!(out, "={byte:02X}");
            }
            length += width;
        }
        out.push_str("\r\n");
    }
}

/// Whether a byte needs no encoding. CR and LF count as literal for the choice of the encoding; no
/// line contains them.
const fn is_literal(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\r' | b'\n' | b' '..=b'<' | b'>'..=b'~')
}
