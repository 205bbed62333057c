//! Challenges: a robot keeps a letter until its sender proves to be a person. The letter has not
//! arrived, and nobody here will answer, so a person looks at it.

use super::mime::Opened;
use super::phrases::{has_any, joined};

/// Phrases of challenges: a letter waits …
const WAITS: &[&str] = &[
    "held",
    "on hold",
    "waits",
    "waiting",
    "quarantin",
    "pending",
    "not approved",
    "not yet approved",
    "approved sender",
    "unknown sender",
    "not in my",
    "not on my",
    "not recogni",
    "do not know you",
    "don't know you",
    "first time",
    "whitelist",
    "white list",
    "allow list",
    "allowlist",
    "guest list",
    "safe list",
    "waitlist",
    "not be delivered until",
    "until you",
    "until the sender",
    "before i",
    "before your",
    "before it",
    "unverified",
    "spam protection",
    "anti-spam",
    "antispam",
    "challenge",
];

/// … until its sender does something.
const CONFIRM: &[&str] = &[
    "confirm",
    "verify",
    "verification",
    "click",
    "reply to this",
    "replying to this",
    "prove",
    "captcha",
    "authenticate",
    "validate",
    "authorize yourself",
    "fill in",
    "fill out",
    "visit the",
    "follow the link",
    "follow this link",
    "bestätigen",
];

/// Whether `message` is a challenge by its words.
pub fn is_one(message: &Opened) -> bool {
    let text = joined(&format!("{} {}", message.subject(), message.text()));
    has_any(&text, WAITS) && has_any(&text, CONFIRM)
}
