//! Complaints that a mail provider passes on as feedback reports (RFC 5965).

use super::Returned;
use super::fields::{Fields, past_blank_lines};
use super::mime::Opened;
use super::original;

/// The media type of the part with the report's fields.
pub const PARTS: [&str; 1] = ["message/feedback-report"];
/// Kinds of reports that are no complaints: a recipient took a message out of the spam folder, or a
/// signature did not verify.
const NO_COMPLAINTS: [&str; 3] = ["not-spam", "auth-failure", "dkim"];
/// The longest kind of complaint that is kept, in characters.
const KIND: usize = 40;

/// Reads the feedback report in `message`; `None` if there is none.
pub fn read(message: &Opened) -> Option<Returned> {
    let Some(fields) = report(message) else {
        return from_outlook(message).then(|| Returned::Complained { kind: "abuse".to_owned() });
    };
    Some(of_kind(fields.get("Feedback-Type").unwrap_or_default()))
}

/// The meaning of a report of the given kind.
pub fn of_kind(kind: &str) -> Returned {
    let plain = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
    let kind: String = kind.to_ascii_lowercase().chars().take_while(plain).take(KIND).collect();
    if NO_COMPLAINTS.contains(&kind.as_str()) {
        return Returned::NoComplaint;
    }
    // A report of an unknown or missing kind is a complaint too (RFC 5965, section 3.1).
    let kind = if kind.is_empty() { "other".to_owned() } else { kind };
    Returned::Complained { kind }
}

/// The fields of the feedback report in `message`.
pub fn report(message: &Opened) -> Option<Fields> {
    let bytes = message.part(&PARTS)?.bytes();
    Some(Fields::read(past_blank_lines(&bytes)).0)
}

/// Whether the message is a complaint from Outlook.com, whose programme sends the original message
/// and a subject but no report.
fn from_outlook(message: &Opened) -> bool {
    let subject = message.fields.get("Subject").unwrap_or_default().to_ascii_lowercase();
    subject.starts_with("complaint about message from") && message.part(&original::PARTS).is_some()
}
