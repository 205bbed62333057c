//! Hands messages to a relay over SMTP (RFC 5321). Each message gets an [`Outcome`], which tells
//! whether it may have arrived.
//!
//! [`Mailer`] sends single messages. A bulk worker opens a [`Connection`] and sends many messages
//! over it. A relay's reply may quote the recipient, so addresses are removed from it before any
//! caller sees it.

mod connection;
mod dialogue;
mod relay;
mod replies;
mod stream;

use cofferdam_core::Personal;

pub use connection::Connection;
pub use relay::{Relay, RelayError, RelayTls};

/// The SMTP envelope of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The return path, to which bounces go.
    pub from: String,
    /// The recipient.
    pub to: Personal,
}

/// A relay's acceptance of a message. From then on the relay answers for the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The relay's id of the message, if the reply has the usual form (`queued as …`).
    pub queue_id: Option<String>,
    /// The relay's reply without addresses.
    pub reply: String,
}

impl Accepted {
    /// The proof of acceptance for a ledger: the queue id, or the whole reply if there is no id.
    #[must_use]
    pub fn receipt(&self) -> &str {
        self.queue_id.as_deref().unwrap_or(&self.reply)
    }
}

/// The outcome of sending one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The relay accepted the message.
    Accepted(Accepted),
    /// The message is refused for good: the relay replied 5xx, or the message can't be sent over
    /// SMTP.
    Refused {
        /// The code of the reply.
        code: u16,
        /// The relay's reply without addresses.
        reply: String,
    },
    /// The message was not accepted and may be tried again: the relay replied 4xx, or the
    /// connection broke before the text was sent to its end.
    Deferred {
        /// The code of the reply, if there was one.
        code: Option<u16>,
        /// The relay's reply without addresses, or the error of the connection.
        reply: String,
    },
    /// The message may have arrived: the text was sent to its end, but the relay gave no valid
    /// reply.
    InDoubt {
        /// The error of the connection.
        cause: String,
    },
}

/// A connection to a relay can't be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The relay does not answer, or does not speak SMTP or valid TLS.
    #[error("the mail relay {relay} does not answer: {cause}")]
    Unreachable {
        /// The address of the relay.
        relay: String,
        /// The error of the connection.
        cause: String,
    },
    /// The relay refused the greeting, TLS or the login.
    #[error("the mail relay {relay} refused the connection: {code} {reply}")]
    TurnedAway {
        /// The address of the relay.
        relay: String,
        /// The code of the reply.
        code: u16,
        /// The relay's reply.
        reply: String,
    },
}

/// A single message was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The connection to the relay can't be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The relay refused the message for good.
    #[error("the mail relay refused the message: {code} {reply}")]
    Refused {
        /// The code of the reply.
        code: u16,
        /// The relay's reply without addresses.
        reply: String,
    },
    /// The relay did not accept the message now, and it may be tried again.
    #[error("the mail relay did not accept the message now: {reply}")]
    Deferred {
        /// The code of the reply, if there was one.
        code: Option<u16>,
        /// The relay's reply without addresses, or the error of the connection.
        reply: String,
    },
    /// The message may have arrived.
    #[error("the message may have arrived, but the mail relay did not confirm it: {cause}")]
    InDoubt {
        /// The error of the connection.
        cause: String,
    },
}

/// Sends single messages, each over its own connection.
#[derive(Debug, Clone)]
pub struct Mailer {
    relay: Relay,
    helo: String,
}

impl Mailer {
    /// A mailer that hands messages to `relay` and greets it as `helo`.
    #[must_use]
    pub const fn new(relay: Relay, helo: String) -> Self {
        Self { relay, helo }
    }

    /// Sends one message and closes the connection.
    pub async fn send(&self, envelope: &Envelope, message: &[u8]) -> Result<Accepted, SendError> {
        let mut connection = Connection::open(&self.relay, &self.helo).await?;
        let outcome = connection.send(envelope, message).await;
        connection.close().await;
        match outcome {
            Outcome::Accepted(accepted) => Ok(accepted),
            Outcome::Refused { code, reply } => Err(SendError::Refused { code, reply }),
            Outcome::Deferred { code, reply } => Err(SendError::Deferred { code, reply }),
            Outcome::InDoubt { cause } => Err(SendError::InDoubt { cause }),
        }
    }
}
