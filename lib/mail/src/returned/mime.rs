//! Splits a message into its fields and parts.
//!
//! mail-parser decodes, but this module splits. mail-parser's own splitting follows any depth of
//! nesting, and a message with some thousand levels would overflow the stack when it is freed.

use std::borrow::Cow;

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::decoders::html::html_to_text;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::{MessageParser, MimeHeaders};

use super::fields::{Fields, cut_line};

/// The depth to which multiparts within multiparts are split.
const DEPTH: u8 = 5;
/// The number of parts that are kept.
const PARTS: usize = 32;
/// The number of texts of a message that are read: gateways put one of their own in front.
const TEXTS: usize = 3;
/// The number of bytes of a text that are decoded.
const TEXT: usize = 64 << 10;

/// A message split into fields and parts. An attached message stays one part, because its content
/// is not the sender's own.
pub struct Opened<'a> {
    pub fields: Fields,
    /// The media type, in lower case.
    pub kind: String,
    pub parts: Vec<Part<'a>>,
}

/// A part that is not itself a multipart.
pub struct Part<'a> {
    /// The media type, in lower case.
    pub kind: String,
    charset: Option<String>,
    encoding: String,
    body: &'a [u8],
}

impl<'a> Opened<'a> {
    pub fn read(message: &'a [u8]) -> Self {
        let (fields, body) = Fields::read(message);
        let content = ContentType::read(&fields);
        let kind = content.kind.clone();
        let mut parts = Vec::new();
        add_parts(&fields, content, body, DEPTH, &mut parts);
        Self { fields, kind, parts }
    }

    /// The first part whose media type is one of `kinds`.
    pub fn part(&self, kinds: &[&str]) -> Option<&Part<'a>> {
        self.parts.iter().find(|part| kinds.contains(&part.kind.as_str()))
    }

    /// The text that a mail reader would show: the plain texts, or else the text of the HTML.
    pub fn text(&self) -> String {
        let plain = self.parts.iter().filter(|part| part.kind == "text/plain").take(TEXTS);
        let plain: Vec<_> = plain.map(Part::text).filter(|text| !text.trim().is_empty()).collect();
        if !plain.is_empty() {
            return plain.join("\n");
        }
        self.part(&["text/html"]).map(|part| html_to_text(&part.text())).unwrap_or_default()
    }

    /// The subject with decoded words.
    pub fn subject(&self) -> String {
        let Some(raw) = self.fields.get("Subject") else { return String::new() };
        let line = format!("Subject: {raw}\r\n\r\n");
        let parsed = MessageParser::new().parse_headers(line.as_bytes());
        parsed.and_then(|m| m.subject().map(str::to_owned)).unwrap_or_default()
    }
}

impl Part<'_> {
    /// The content of the part, with the transfer encoding decoded.
    pub fn bytes(&self) -> Cow<'_, [u8]> {
        let decoded = match self.encoding.as_str() {
            "base64" => base64_decode(self.body),
            "quoted-printable" => quoted_printable_decode(self.body),
            _ => None,
        };
        decoded.map_or(Cow::Borrowed(self.body), Cow::Owned)
    }

    fn text(&self) -> String {
        let bytes = self.bytes();
        let bytes = &bytes[..bytes.len().min(TEXT)];
        match self.charset.as_deref().and_then(|charset| charset_decoder(charset.as_bytes())) {
            Some(decode) => decode(bytes),
            None => String::from_utf8_lossy(bytes).into_owned(),
        }
    }
}

/// The content type of a message or part.
struct ContentType {
    kind: String,
    boundary: Option<String>,
    charset: Option<String>,
}

impl ContentType {
    fn read(fields: &Fields) -> Self {
        let line = fields.get("Content-Type").map(|raw| format!("Content-Type: {raw}\r\n\r\n"));
        let parsed = line.as_ref().and_then(|l| MessageParser::new().parse_headers(l.as_bytes()));
        let Some(found) = parsed.as_ref().and_then(MimeHeaders::content_type) else {
            let kind = "text/plain".to_owned();
            return Self { kind, boundary: None, charset: None };
        };
        let kind = match found.subtype() {
            Some(subtype) => format!("{}/{subtype}", found.ctype()),
            None => found.ctype().to_owned(),
        };
        let attribute = |name| found.attribute(name).map(str::to_owned);
        Self {
            boundary: attribute("boundary")
                .filter(|b| !b.is_empty() && kind.starts_with("multipart")),
            charset: attribute("charset"),
            kind: kind.to_ascii_lowercase(),
        }
    }
}

/// Adds the parts of `body` to `parts`, at most `depth` multiparts deep.
fn add_parts<'a>(
    fields: &Fields,
    content: ContentType,
    body: &'a [u8],
    depth: u8,
    parts: &mut Vec<Part<'a>>,
) {
    if parts.len() >= PARTS {
        return;
    }
    let pieces = match content.boundary.as_deref().filter(|_| depth > 0) {
        Some(boundary) => split(body, boundary.as_bytes()),
        None => Vec::new(),
    };
    for piece in &pieces {
        let (fields, body) = Fields::read(piece);
        let content = ContentType::read(&fields);
        add_parts(&fields, content, body, depth - 1, parts);
    }
    if pieces.is_empty() {
        let multipart = content.kind.starts_with("multipart/");
        let encoding = fields.get("Content-Transfer-Encoding").unwrap_or_default();
        parts.push(Part {
            // A multipart without a single part counts as plain text.
            kind: if multipart { "text/plain".to_owned() } else { content.kind },
            charset: content.charset,
            encoding: encoding.to_ascii_lowercase(),
            body,
        });
    }
}

/// The pieces of `body` between boundary lines. The last piece may lack its end, because returned
/// messages are often truncated.
fn split<'a>(body: &'a [u8], boundary: &[u8]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    let mut rest = body;
    // The offset in `body` of the current piece.
    let mut begin = None;
    while !rest.is_empty() && pieces.len() < PARTS {
        let at = body.len() - rest.len();
        let (line, after) = cut_line(rest);
        rest = after;
        let mark = line.strip_prefix(b"--").and_then(|line| line.strip_prefix(boundary));
        let is_end = match mark.map(<[u8]>::trim_ascii_end) {
            Some(b"") => false,
            Some(b"--") => true,
            _ => continue,
        };
        pieces.extend(begin.map(|begin: usize| &body[begin..at]));
        begin = (!is_end).then_some(body.len() - rest.len());
        if is_end {
            break;
        }
    }
    if pieces.len() < PARTS {
        pieces.extend(begin.map(|begin| &body[begin..]));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_and_an_attached_message_is_one_part() {
        let message = b"Content-Type: Multipart/Report; report-type=Delivery-Status;\r\n boundary=\"a b\"\r\n\
            \r\nno part\r\n--a b\r\n\r\nhello\r\n--a b \r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n\
            --c\r\nContent-Type: text/html\r\n\r\n<p>hi</p>\r\n--c--\r\n--a b\r\n\
            Content-Type: message/rfc822\r\n\r\nContent-Type: multipart/mixed; boundary=d\r\n\r\n--d\r\n\
            \r\nshut\r\n--d--\r\n--a b--\r\nnor here\r\n";
        let opened = Opened::read(message);
        let kinds: Vec<_> = opened.parts.iter().map(|part| part.kind.as_str()).collect();
        assert_eq!(kinds, ["text/plain", "text/html", "message/rfc822"]);
        assert_eq!(opened.kind, "multipart/report");
        assert_eq!(opened.text(), "hello\r\n");
    }

    #[test]
    fn texts_are_decoded() {
        let base64 = "Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: Base64\n\
            Subject: =?utf-8?q?Unzustellbar=3A?= =?utf-8?b?IMOp?=\n\n4Wo=\n";
        let opened = Opened::read(base64.as_bytes());
        assert_eq!((&*opened.text(), &*opened.subject()), ("áj", "Unzustellbar: é"));
        let html =
            b"Content-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n<b>a=3Db</b>";
        assert_eq!(Opened::read(html).text(), "a=b");
    }
}
