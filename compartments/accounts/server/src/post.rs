//! Hands letters to the relay.

use std::sync::Arc;

use cofferdam_core::{Personal, Rng, Timestamp};
use cofferdam_mail::{Envelope, Head, Mailbox, Mailer, Message, MessageError, Relay, SendError};

/// The relay, and the sender of its letters.
pub struct Post {
    mailer: Mailer,
    sender: String,
    domain: String,
    rng: Arc<dyn Rng>,
}

/// A letter to hand to the relay.
#[derive(Debug)]
pub struct Letter<'a> {
    /// The address of the reader.
    pub to: Personal,
    /// The subject of the letter.
    pub subject: &'a str,
    /// The plain text of the letter.
    pub text: &'a Personal,
    /// The date of the letter.
    pub date: Timestamp,
}

/// A letter that did not leave.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// The letter can't be written.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// The relay did not take the letter.
    #[error(transparent)]
    Send(#[from] SendError),
}

impl Post {
    /// Hands letters of `sender` to `relay` (`HOST:PORT`).
    #[must_use]
    pub fn new(relay: &str, sender: &str, rng: Arc<dyn Rng>) -> Self {
        let domain = sender.rsplit_once('@').map_or("localhost", |(_, domain)| domain).to_owned();
        let mailer = Mailer::new(Relay::plain(relay), domain.clone());
        Self { mailer, sender: sender.to_owned(), domain, rng }
    }

    /// Sends a letter through the relay.
    pub async fn send(&self, letter: Letter<'_>) -> Result<(), PostError> {
        let id = format!("{}@{}", hex::encode(self.rng.bytes::<16>()), self.domain);
        let to = Mailbox { name: None, address: letter.to };
        let message = Message {
            head: Head {
                from: &Mailbox { name: None, address: Personal::new(self.sender.as_str()) },
                to: &to,
                date: letter.date,
                message_id: &id,
                feedback_id: None,
            },
            subject: letter.subject,
            text: letter.text.expose(),
            html: None,
        };
        let bytes = zeroize::Zeroizing::new(message.build()?);
        let envelope = Envelope { from: self.sender.clone(), to: to.address };
        self.mailer.send(&envelope, &bytes).await?;
        Ok(())
    }
}
