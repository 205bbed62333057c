//! A letter with its holes: everything that is the same for many people is encoded once, and a
//! person's name and code are filled in. What is filled in makes no new header, line or markup.

use cofferdam_core::Personal;

use super::{Head, MessageError, body, boundary, name};

/// Stands where the person's name goes.
pub const NAME: char = '\u{E000}';
/// Stands where the person's code goes.
pub const CODE: char = '\u{E001}';

/// What fills the holes of a [`Form`].
#[derive(Debug, Clone)]
pub struct Fill<'a> {
    /// The person's name.
    pub name: &'a Personal,
    /// The code by which the letter is checked.
    pub code: &'a str,
}

/// A letter but for its holes. Its subject has none. Where a name could be a message of its own,
/// what the letter calls people without a name stands in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    subject: String,
    text: Vec<Piece>,
    html: Vec<Piece>,
    nameless: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// Encoded lines.
    Fixed(String),
    /// A line with holes.
    Open(String),
}

impl Form {
    /// Takes the subject, the text and the HTML, with [`NAME`] and [`CODE`] where those go, and
    /// what people without a name are called.
    #[must_use]
    pub fn new(subject: &str, text: &str, html: &str, nameless: &str) -> Self {
        let (subject, nameless) = (subject.to_owned(), nameless.to_owned());
        Self { subject, text: pieces(text), html: pieces(html), nameless }
    }

    /// The letter to one person as bytes, lines ended by CRLF.
    pub fn message(&self, head: &Head<'_>, fill: &Fill<'_>) -> Result<Vec<u8>, MessageError> {
        head.check()?;
        let mut out = String::with_capacity(1_024 + length(&self.text) + length(&self.html));
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

fn length(pieces: &[Piece]) -> usize {
    let of = |piece: &Piece| match piece {
        Piece::Fixed(text) => text.len(),
        Piece::Open(text) => text.len() * 2 + 200,
    };
    pieces.iter().map(of).sum()
}

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
