//! Bodies: quoted-printable, or base64 where that is shorter (RFC 2045, section 6).

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The longest encoded line, without CRLF.
const LINE: usize = 76;

/// One part: its headers, a blank line, its text.
pub fn part(out: &mut String, kind: &str, text: &str) {
    let text = canonical(text);
    out.push_str("Content-Type: ");
    out.push_str(kind);
    out.push_str("; charset=utf-8\r\nContent-Transfer-Encoding: ");
    // A byte that needs encoding takes three characters; base64 takes four for every three.
    let special = text.bytes().filter(|b| !is_literal(*b)).count();
    if special * 6 > text.len() {
        out.push_str("base64\r\n\r\n");
        base64(out, &text);
    } else {
        out.push_str("quoted-printable\r\n\r\n");
        quoted_printable(out, &text);
    }
}

/// The headers of a part in quoted-printable, and the blank line after them.
pub fn quoted_printable_head(out: &mut String, kind: &str) {
    out.push_str("Content-Type: ");
    out.push_str(kind);
    out.push_str("; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n");
}

/// Lines as mail knows them: ended by CRLF, the last one too.
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

/// Encodes each line of `text`.
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
                // Writing to a string can't fail.
                let _ = write!(out, "={byte:02X}");
            }
            length += width;
        }
        out.push_str("\r\n");
    }
}

/// Whether a byte stands for itself. CR and LF are counted as such for the choice of encoding;
/// there are none inside a line.
const fn is_literal(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\r' | b'\n' | b' '..=b'<' | b'>'..=b'~')
}
