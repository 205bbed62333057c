//! Message disposition notifications (RFC 8098): read receipts, and the rejections that delivery
//! agents write in the same form (Sieve `reject`, RFC 5429).

use super::Returned;
use super::author::{Author, author};
use super::fields::{Fields, past_blank_lines};
use super::mime::Opened;
use super::reason::{locals, reason};
use super::text::{has_any, joined};
use super::why::BounceReason;
use super::{codes, words};

/// The media types of the part with the notification's fields.
pub const PARTS: [&str; 2] =
    ["message/disposition-notification", "message/global-disposition-notification"];
/// Phrases of rejections.
const REJECTED: &[&str] = &[
    "reject",
    "refused",
    "not accepted",
    "not accept",
    "not delivered",
    "could not be delivered",
    "couldn't be delivered",
    "undeliverable",
    "unable to deliver",
    "quota",
    "mailbox full",
    "mailbox is full",
    "no such user",
    "unknown user",
    "user unknown",
];

/// Reads the notification in `message`; `None` if there is none.
pub fn read(message: &Opened) -> Option<Returned> {
    let bytes = message.part(&PARTS)?.bytes();
    let (fields, _) = Fields::read(past_blank_lines(&bytes));
    let disposition = Disposition::read(&fields);
    if !disposition.is_rejection(message) {
        // A failure that does not say what failed is for a person to look at.
        let is_receipt = disposition.is_known && !disposition.is_failure;
        return Some(if is_receipt { Returned::AutoReply } else { Returned::Other });
    }
    let text = message.text();
    let code = codes::find(&text);
    let said = code.as_ref().map(|code| code.line).or_else(|| fields.get("Failure"));
    let said = said.or_else(|| fields.get("Error")).unwrap_or("rejected after its delivery");
    let words = format!("{said} {text}");
    let status = match &code {
        Some(code) => words::refined(code.status.clone(), &words),
        None => words::status(&words).unwrap_or_else(|| "5.0.0".to_owned()),
    };
    let why = BounceReason::of(&status, &words);
    let people = format!("{text} {}", String::from_utf8_lossy(&bytes));
    let reason = reason(said, &locals(&people));
    Some(Returned::Bounced { status, why, reason })
}

/// The fate of the letter at a mail reader or a delivery agent.
struct Disposition {
    /// Whether the field has a word of the standard, in its present or an earlier form.
    is_known: bool,
    /// Whether a machine threw the letter away, and no person did.
    is_thrown_away: bool,
    is_failure: bool,
}

impl Disposition {
    fn read(fields: &Fields) -> Self {
        let text = fields.get("Disposition").unwrap_or_default().to_ascii_lowercase();
        let (mode, kind) = text.split_once(';').unwrap_or(("", &text));
        let kind = kind.trim();
        let begins = |words: &[&str]| words.iter().any(|word| kind.starts_with(word));
        let is_automatic = mode.trim().starts_with("automatic-action");
        Self {
            is_known: begins(&["displayed", "processed", "dispatched", "deleted", "denied"]),
            is_thrown_away: is_automatic && begins(&["deleted", "denied", "failed", "dispatched"]),
            is_failure: has_any(kind, &["failed", "error", "failure"]),
        }
    }

    /// Whether the letter did not reach anybody, and the message says so. A person who deletes a
    /// letter unread has got it.
    fn is_rejection(&self, message: &Opened) -> bool {
        let submitted = message.fields.get("Auto-Submitted").unwrap_or_default();
        let text = joined(&format!("{} {submitted} {}", message.subject(), message.text()));
        let says_so = has_any(&text, REJECTED) || author(&message.fields) == Author::System;
        says_so && (self.is_thrown_away || self.is_failure)
    }
}
