//! A letter with placeholders. The text that many people share is encoded once, and each person's
//! name and code are filled in. A filled-in value can't add a header, a line or markup.

use cofferdam_core::Personal;

use super::{Head, MessageError, body, boundary, name};

/// The placeholder for the person's name.
pub const NAME: char = '\u{E000}';
/// The placeholder for the person's letter code.
pub const CODE: char = '\u{E001}';

/// The values for the placeholders of a [`Form`].
#[derive(Debug, Clone)]
pub struct Fill<'a> {
    /// The person's name.
    pub name: &'a Personal,
    /// The code with which the person can check that the letter is genuine.
    pub code: &'a str,
}

/// A letter with placeholders in its text and its HTML, but not in its subject. A name that could
/// be a message of its own is replaced by the word for people without a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    subject: String,
    text: Vec<Piece>,
    html: Vec<Piece>,
    nameless: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// Encoded lines without placeholders.
    Fixed(String),
    /// A line with placeholders, not encoded yet.
    Open(String),
}

impl Form {
    /// Prepares a letter. `text` and `html` may contain [`NAME`] and [`CODE`]; `nameless` is the
    /// word for a person without a presentable name.
    #[must_use]
    pub fn new(subject: &str, text: &str, html: &str, nameless: &str) -> Self {
        let (subject, nameless) = (subject.to_owned(), nameless.to_owned());
        Self { subject, text: pieces(text), html: pieces(html), nameless }
    }

    /// The letter to one person as bytes, with lines ended by CRLF.
    pub fn message(&self, head: &Head<'_>, fill: &Fill<'_>) -> Result<Vec<u8>, MessageError> {
        head.check()?;
        let length = estimated_length(&self.text) + estimated_length(&self.html);
        let mut out = String::with_capacity(1_024 + length);
        head.write(&mut out, &self.subject);
        let boundary = boundary(head.message_id);
        super::open_alternatives(&mut out, &boundary);
        let name = fill.name.expose();
        let name = if name::is_presentable(name) { name } else { &self.nameless };
        for (kind, pieces, name) in
            [("text/plain", &self.text, name.to_owned()), ("text/html", &self.html, escaped(name))]
        {
            super::next_part(&mut out, &boundary);
            body::quoted_printable_head(&mut out, kind);
            for piece in pieces {
                match piece {
                    Piece::Fixed(lines) => out.push_str(lines),
                    Piece::Open(line) => {
                        let line = line.replace(NAME, &name).replace(CODE, fill.code);
                        body::quoted_printable(&mut out, &line);
                    }
                }
            }
        }
        super::close_alternatives(&mut out, &boundary);
        Ok(out.into_bytes())
    }
}

fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut fixed = String::new();
    for line in text.lines() {
        if line.contains([NAME, CODE]) {
            if !fixed.is_empty() {
                pieces.push(Piece::Fixed(std::mem::take(&mut fixed)));
            }
            pieces.push(Piece::Open(line.to_owned()));
        } else {
            body::quoted_printable(&mut fixed, line);
            if line.is_empty() {
                fixed.push_str("\r\n");
            }
        }
    }
    if !fixed.is_empty() {
        pieces.push(Piece::Fixed(fixed));
    }
    pieces
}

/// An estimate of the encoded length, to allocate once.
fn estimated_length(pieces: &[Piece]) -> usize {
    let estimate = |piece: &Piece| match piece {
        Piece::Fixed(text) => text.len(),
        Piece::Open(text) => text.len() * 2 + 200,
    };
    pieces.iter().map(estimate).sum()
}

/// The name with HTML's special characters escaped.
fn escaped(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
