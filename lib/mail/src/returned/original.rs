//! Finds the original message of a report: its return path and Message-ID.

use super::fields::{Fields, cut_line, past_blank_lines};
use super::mime::Opened;
use super::{complaint, dsn, mdn};

/// The media types of a part with the original message or its header.
pub const PARTS: [&str; 5] = [
    "message/rfc822",
    "text/rfc822-headers",
    "message/global",
    "message/global-headers",
    "message/rfc822-headers",
];
/// The longest address that is kept, in bytes: the limit of RFC 5321, section 4.5.3.1, and some
/// room.
const ADDRESS: usize = 330;
/// The marks that providers put in place of a local part (RFC 6590 leaves the choice to them).
const REDACTED: [&str; 5] = ["redact", "removed", "anonym", "***", "xxxx"];
/// The longest Message-ID that is kept, in bytes.
const MESSAGE_ID: usize = 500;

/// The identifiers of the original message that are known.
#[derive(Default)]
pub struct Original {
    pub return_path: Option<String>,
    pub message_id: Option<String>,
}

impl Original {
    /// Searches all places that may name the original, the most reliable first: the attached
    /// original, the feedback report (providers redact its addresses), the sender that Postfix adds
    /// to the delivery status, the original in the text, the read receipt and the `In-Reply-To`
    /// field.
    pub fn read(message: &Opened) -> Self {
        let mut found = Self::default();
        if let Some(part) = message.part(&PARTS) {
            let bytes = part.bytes();
            let (fields, _) = Fields::read(past_blank_lines(&bytes));
            found.add(fields.get("Return-Path"), fields.get("Message-ID"));
        }
        if let Some(report) = complaint::report(message) {
            found.add(report.get("Original-Mail-From"), report.get("Original-Message-ID"));
        }
        if let Some(part) = dsn::part(message) {
            let bytes = part.bytes();
            let (fields, _) = Fields::read(past_blank_lines(&bytes));
            let sender = fields.get("X-Postfix-Sender").and_then(|s| s.split_once(';'));
            found.add(sender.map(|(_, address)| address), fields.get("X-Original-Message-ID"));
        }
        if message.part(&PARTS).is_none() {
            let text = message.text();
            let under = |name| field_in(text.as_bytes(), name);
            found.add(under("Return-Path").as_deref(), under("Message-ID").as_deref());
        }
        if let Some(part) = message.part(&mdn::PARTS) {
            let bytes = part.bytes();
            let (fields, _) = Fields::read(past_blank_lines(&bytes));
            found.add(None, fields.get("Original-Message-ID"));
        }
        found.add(None, message.fields.get("In-Reply-To"));
        found
    }

    /// Takes the identifiers that no earlier place has given.
    pub fn or(mut self, later: Self) -> Self {
        self.return_path = self.return_path.or(later.return_path);
        self.message_id = self.message_id.or(later.message_id);
        self
    }

    /// Takes the identifiers that no earlier place has given.
    pub fn add(&mut self, return_path: Option<&str>, message_id: Option<&str>) {
        if self.return_path.is_none() {
            self.return_path = return_path.and_then(address);
        }
        if self.message_id.is_none() {
            self.message_id = message_id.and_then(identifier);
        }
    }
}

/// The value of the first line that begins with `name:`, or of the line after it if it is folded.
fn field_in(text: &[u8], name: &str) -> Option<String> {
    let mut rest = text;
    while !rest.is_empty() {
        let (line, after) = cut_line(rest);
        let is_it = line.get(..name.len()).is_some_and(|n| n.eq_ignore_ascii_case(name.as_bytes()))
            && line.get(name.len()) == Some(&b':');
        if is_it {
            let end = rest.len() - cut_line(after).1.len();
            return Fields::read(&rest[..end]).0.get(name).map(str::to_owned);
        }
        rest = after;
    }
    None
}

/// The bare address; `None` if it is empty, malformed or redacted.
fn address(value: &str) -> Option<String> {
    let bare = bare(value)?;
    let (local, _) = bare.rsplit_once('@')?;
    let local = local.to_ascii_lowercase();
    let is_redacted = REDACTED.iter().any(|mark| local.contains(mark));
    (!is_redacted && bare.len() <= ADDRESS).then(|| bare.to_owned())
}

/// The first bare Message-ID; `None` if it is empty or malformed.
fn identifier(value: &str) -> Option<String> {
    let bare = bare(value)?;
    (!bare.is_empty() && bare.len() <= MESSAGE_ID).then(|| bare.to_owned())
}

/// The text between the first brackets, or the first word if there are none.
fn bare(value: &str) -> Option<&str> {
    let inner = match value.split_once('<') {
        Some((_, rest)) => rest.split_once('>')?.0.trim(),
        None => value.split_whitespace().next()?,
    };
    let clean = !inner.contains(|c: char| c.is_whitespace() || c.is_control() || "<>".contains(c));
    clean.then_some(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_message_ids_lose_their_brackets() {
        assert_eq!(address(" <b+1@shop.example> ").as_deref(), Some("b+1@shop.example"));
        assert_eq!(address("b@shop.example").as_deref(), Some("b@shop.example"));
        assert_eq!(
            (address("<>"), address("<a b@x>"), address("<b@x"), address("")),
            (None, None, None, None)
        );
        assert_eq!(identifier("<1@x> <2@x>").as_deref(), Some("1@x"));
        let text = b"x\r\nmessage-id:\r\n <3@x>\r\nTo: y\r\n";
        assert_eq!(field_in(text, "Message-ID").as_deref(), Some("<3@x>"));
        assert_eq!(field_in(b"Message-ID", "Message-ID"), None);
    }
}
