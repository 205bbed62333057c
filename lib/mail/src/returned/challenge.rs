//! Challenges: a robot keeps a letter until its sender proves to be a person. The letter has not
//! arrived, and nobody here will answer, so a person looks at it.

use super::mime::Opened;
use super::phrases::{CONFIRM, WAITS, has_any, joined};

/// Whether `message` is a challenge by its words.
pub fn is_one(message: &Opened) -> bool {
    let text = joined(&format!("{} {}", message.subject(), message.text()));
    has_any(&text, WAITS) && has_any(&text, CONFIRM)
}
