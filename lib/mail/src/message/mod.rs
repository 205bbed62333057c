//! Messages as bytes (RFC 5322, MIME). The same input gives the same bytes: date and Message-ID are
//! arguments, and the boundary is made from the Message-ID.
//!
//! Every line is ASCII and has at most 78 characters, so that any relay passes it on unchanged.
//! Only a long address or Message-ID can make a longer line, which then has at most 998 characters.

mod body;
mod form;
mod header;
mod name;

use cofferdam_core::{Personal, Timestamp};

pub use form::{CODE, Fill, Form, NAME};

/// A name and an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// The name to show, if any. A recipient's name that could be a message of its own is not
    /// shown.
    pub name: Option<Personal>,
    /// The address, such as `ada@shop.example`.
    pub address: Personal,
}

/// The header of a message, without its subject.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// The sender, as the letter shows it.
    pub from: &'a Mailbox,
    /// The recipient, as the letter shows it.
    pub to: &'a Mailbox,
    /// The time of writing, the same at every attempt.
    pub date: Timestamp,
    /// The Message-ID without brackets, such as `1.42@letters.shop.example`, the same at every
    /// attempt.
    pub message_id: &'a str,
    /// The `Feedback-ID` by which mail providers count complaints. It is ASCII and the same for a
    /// whole mailing.
    pub feedback_id: Option<&'a str>,
}

/// One message to one person.
#[derive(Debug, Clone)]
pub struct Message<'a> {
    /// The header without the subject.
    pub head: Head<'a>,
    /// The subject, in one line.
    pub subject: &'a str,
    /// The whole message as plain text, because some mail readers show nothing else.
    pub text: &'a str,
    /// The same message as HTML.
    pub html: Option<&'a str>,
}

/// A message can't be built. The error never shows the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// The address of the named party is malformed or not ASCII.
    #[error("the {0} address can't be used: it must be ASCII of the form name@shop.example")]
    Address(&'static str),
    /// The Message-ID is malformed.
    #[error("a Message-ID must be `left@right` in ASCII without blanks or brackets")]
    MessageId,
}

/// The largest length of an address (RFC 5321, section 4.5.3.1) and of a Message-ID, in bytes.
const MAX_ADDRESS: usize = 254;

impl Message<'_> {
    /// The message as bytes, with lines ended by CRLF.
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

    /// Appends both alternatives. A mail reader shows the last one that it supports, so HTML is
    /// last.
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

/// The boundary between parts. Neither quoted-printable nor base64 text contains `=_`, so no part
/// contains the boundary.
fn boundary(message_id: &str) -> String {
    let rest = message_id.chars().filter(char::is_ascii_alphanumeric).take(50);
    "=_".chars().chain(rest).collect()
}

fn check_address(mailbox: &Mailbox, whose: &'static str) -> Result<(), MessageError> {
    if is_addr_spec(mailbox.address.expose()) { Ok(()) } else { Err(MessageError::Address(whose)) }
}

/// Whether `text` can stand between the brackets of a message and of an SMTP command: it is ASCII,
/// has an `@`, and has no character that would end the brackets or the line.
pub fn is_addr_spec(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'<' | b'>' | b'\\' | b'"' | b',');
    let parts = text.rsplit_once('@');
    text.len() <= MAX_ADDRESS
        && text.bytes().all(plain)
        && parts.is_some_and(|(left, right)| !left.is_empty() && !right.is_empty())
}

#[cfg(test)]
mod tests;
