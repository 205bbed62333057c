//! Messages as bytes (RFC 5322, MIME), the same bytes for the same input: date and Message-ID are
//! arguments, the boundary follows from the Message-ID, and nothing is drawn or looked up.
//!
//! Every line is ASCII and at most 78 characters long (998 where an address or a Message-ID is
//! that long), so that any relay passes it on unchanged.

mod body;
mod form;
mod header;
mod name;

use cofferdam_core::{Personal, Timestamp};

pub use form::{CODE, Fill, Form, NAME};

/// A name and an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// The name shown, if any; of a recipient only where it is a name and no message.
    pub name: Option<Personal>,
    /// The address, as `ada@shop.example`.
    pub address: Personal,
}

/// What stands above every message.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// Who writes.
    pub from: &'a Mailbox,
    /// Who reads.
    pub to: &'a Mailbox,
    /// When it is written.
    pub date: Timestamp,
    /// Its identity without brackets, as `1.42@letters.shop.example`; the same at every attempt.
    pub message_id: &'a str,
    /// What mail providers count complaints by: the same for a whole mailing, and ASCII.
    pub feedback_id: Option<&'a str>,
}

/// One message to one person.
#[derive(Debug, Clone)]
pub struct Message<'a> {
    /// From whom to whom, and when.
    pub head: Head<'a>,
    /// What it is about, one line.
    pub subject: &'a str,
    /// The text, whole: many read nothing else.
    pub text: &'a str,
    /// The same as HTML.
    pub html: Option<&'a str>,
}

/// Why a message can't be built. Says nothing about whom it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// An address that is none, or is not ASCII.
    #[error("the {0} address can't stand in a message: it takes ASCII, as in name@shop.example")]
    Address(&'static str),
    /// A Message-ID that is none.
    #[error("a Message-ID is `left@right` in ASCII without blanks or brackets")]
    MessageId,
}

/// The longest address (RFC 5321, section 4.5.3.1) and Message-ID.
const MAX_ADDRESS: usize = 254;

impl Message<'_> {
    /// The message as bytes, lines ended by CRLF.
    pub fn build(&self) -> Result<Vec<u8>, MessageError> {
        self.head.check()?;
        let mut out = String::with_capacity(1024 + self.text.len() * 2);
        self.head.write(&mut out, self.subject);
        match self.html {
            None => body::part(&mut out, "text/plain", self.text),
            Some(html) => self.alternatives(&mut out, html),
        }
        Ok(out.into_bytes())
    }

    /// Text first, HTML last: the last alternative that a reader understands is shown.
    fn alternatives(&self, out: &mut String, html: &str) {
        let boundary = boundary(self.head.message_id);
        open_alternatives(out, &boundary);
        for (kind, text) in [("text/plain", self.text), ("text/html", html)] {
            next_part(out, &boundary);
            body::part(out, kind, text);
        }
        close_alternatives(out, &boundary);
    }
}

impl Head<'_> {
    fn check(&self) -> Result<(), MessageError> {
        check_address(self.from, "sender's")?;
        check_address(self.to, "recipient's")?;
        if is_addr_spec(self.message_id) { Ok(()) } else { Err(MessageError::MessageId) }
    }

    fn write(&self, out: &mut String, subject: &str) {
        let date = self.date.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string();
        header::raw(out, "Date", &date);
        header::mailbox(out, "From", self.from);
        let shown = |name: &&Personal| name::is_presentable(name.expose());
        let name = self.to.name.as_ref().filter(shown).cloned();
        header::mailbox(out, "To", &Mailbox { name, address: self.to.address.clone() });
        header::text(out, "Subject", subject);
        header::raw(out, "Message-ID", &format!("<{}>", self.message_id));
        if let Some(id) = self.feedback_id {
            header::text(out, "Feedback-ID", id);
        }
        header::raw(out, "Auto-Submitted", "auto-generated");
        header::raw(out, "MIME-Version", "1.0");
    }
}

fn open_alternatives(out: &mut String, boundary: &str) {
    out.push_str("Content-Type: multipart/alternative;\r\n boundary=\"");
    out.push_str(boundary);
    out.push_str("\"\r\n");
}

fn next_part(out: &mut String, boundary: &str) {
    out.push_str("\r\n--");
    out.push_str(boundary);
    out.push_str("\r\n");
}

fn close_alternatives(out: &mut String, boundary: &str) {
    out.push_str("\r\n--");
    out.push_str(boundary);
    out.push_str("--\r\n");
}

/// `=_` stands in no quoted-printable and no base64 text, so no part can hold the boundary.
fn boundary(message_id: &str) -> String {
    let rest = message_id.chars().filter(char::is_ascii_alphanumeric).take(50);
    "=_".chars().chain(rest).collect()
}

fn check_address(mailbox: &Mailbox, whose: &'static str) -> Result<(), MessageError> {
    if is_addr_spec(mailbox.address.expose()) { Ok(()) } else { Err(MessageError::Address(whose)) }
}

/// Whether `text` can stand between brackets, in a message and in an SMTP command alike: ASCII
/// with an `@`, and nothing that would end the brackets or the line.
pub fn is_addr_spec(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'<' | b'>' | b'\\' | b'"' | b',');
    let parts = text.rsplit_once('@');
    text.len() <= MAX_ADDRESS
        && text.bytes().all(plain)
        && parts.is_some_and(|(left, right)| !left.is_empty() && !right.is_empty())
}

#[cfg(test)]
mod tests;
