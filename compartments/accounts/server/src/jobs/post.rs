//! Sends letters through the relay.

use cofferdam_core::{Personal, Timestamp};

/// The way out for mail.
#[derive(Debug)]
pub struct Post {}

impl Post {
    /// stub
    pub fn new(_relay: &str, _helo: &str, _from: &str) -> Self {
        Self {}
    }

    /// Sends a letter.
    pub async fn send(&self, _to: Personal, _subject: &str, _text: &Personal, _now: Timestamp) {}
}
