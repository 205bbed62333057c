//! Handing messages to a relay over SMTP (RFC 5321), with an outcome for each that says whether
//! it may have arrived.
//!
//! [`Mailer`] sends single messages; a bulk worker opens a [`Connection`] and sends many over it.
//! What a relay says may quote the recipient: it is blotted out before anybody sees it.

mod connection;
mod dialogue;
mod relay;
mod replies;
mod stream;

use cofferdam_core::Personal;

pub use connection::Connection;
pub use relay::{Relay, RelayError, RelayTls};

/// From whom to whom, for the relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Where bounces go.
    pub from: String,
    /// Who gets the message.
    pub to: Personal,
}

/// A message that the relay took: it answers for it from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The relay's name for it, where the reply has the usual form (`queued as …`).
    pub queue_id: Option<String>,
    /// What the relay said.
    pub reply: String,
}

impl Accepted {
    /// What to write down: the queue id, or what the relay said.
    #[must_use]
    pub fn receipt(&self) -> &str {
        self.queue_id.as_deref().unwrap_or(&self.reply)
    }
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The relay took it.
    Accepted(Accepted),
    /// The relay, or its protocol, refuses it for good (5xx).
    Refused {
        /// The reply's code.
        code: u16,
        /// What the relay said.
        reply: String,
    },
    /// It was not taken, and may be tried again: a 4xx reply, or the connection broke before the
    /// end of the text was sent.
    Deferred {
        /// The reply's code, if there was one.
        code: Option<u16>,
        /// What the relay or the connection said.
        reply: String,
    },
    /// The text was sent to its end, and no reply came: it may have arrived.
    InDoubt {
        /// What the connection said.
        cause: String,
    },
}

/// Why no connection could be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The relay does not answer, or not as a mail server does.
    #[error("the mail relay {relay} does not answer: {cause}")]
    Unreachable {
        /// Its address.
        relay: String,
        /// What the connection said.
        cause: String,
    },
    /// The relay does not want to talk.
    #[error("the mail relay {relay} turned us away: {code} {reply}")]
    TurnedAway {
        /// Its address.
        relay: String,
        /// The reply's code.
        code: u16,
        /// What it said.
        reply: String,
    },
}

/// Why a single message was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// No connection.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Refused for good.
    #[error("the mail relay refused the message: {code} {reply}")]
    Refused {
        /// The reply's code.
        code: u16,
        /// What the relay said.
        reply: String,
    },
    /// Not taken now.
    #[error("the mail relay did not take the message now: {reply}")]
    Deferred {
        /// The reply's code, if there was one.
        code: Option<u16>,
        /// What the relay or the connection said.
        reply: String,
    },
    /// It may have arrived.
    #[error("the message may have arrived, the mail relay did not say: {cause}")]
    InDoubt {
        /// What the connection said.
        cause: String,
    },
}

/// Sends single messages, over a connection each.
#[derive(Debug, Clone)]
pub struct Mailer {
    relay: Relay,
    helo: String,
}

impl Mailer {
    /// A mailer that hands its messages to `relay` and calls itself `helo`.
    #[must_use]
    pub const fn new(relay: Relay, helo: String) -> Self {
        Self { relay, helo }
    }

    /// Sends one message.
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
