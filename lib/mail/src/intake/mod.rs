//! The intake: takes in what comes back from letters, over SMTP or LMTP, and hands it to whoever
//! keeps it.
//!
//! Mail to addresses that its taker does not know is refused, and nothing is passed on to
//! anybody: it is no relay. A message is confirmed only after its taker has it; until then the
//! mail server that brought it keeps it and tries again. Over LMTP each recipient is confirmed by
//! itself, over SMTP all together: one that fails brings the message to all of them again.

use std::error::Error;
use std::future::Future;
use std::sync::Arc;

use tokio::net::TcpListener;

use crate::server::{self, Envelope, Host, Rules};

/// The largest message, in bytes, that the intake takes.
pub const MAX_RETURNED: usize = 1 << 20;
/// The most recipients of one message.
const RECIPIENTS: usize = 100;
/// The most connections at once.
const CONNECTIONS: usize = 64;

/// Who takes what arrives.
pub trait Taker: Send + Sync + 'static {
    /// Whether mail to this address is taken. Asked at RCPT, in the middle of a session: it may
    /// look something up in memory, and should not wait. An address that is not known is refused
    /// with 550 5.1.1.
    fn knows(&self, recipient: &str) -> bool;

    /// Takes a message for one recipient. `Ok` confirms it with 250: it must be where it survives
    /// by then. `Err` answers 451, and the same message comes again. One that was confirmed may
    /// come again too, when the reply got lost.
    ///
    /// The message begins with a Return-Path field that says what the envelope said, `<>` for a
    /// bounce (RFC 5321, section 4.4); the rest is as it arrived.
    fn take(
        &self,
        recipient: &str,
        message: &[u8],
    ) -> impl Future<Output = Result<(), TakeError>> + Send;
}

/// Why a message was not taken now.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TakeError {
    /// It can't be kept. What the cause says goes to the log: it must not name anybody.
    #[error("can't keep a message that came back: {0}")]
    Keep(#[source] Box<dyn Error + Send + Sync>),
}

impl TakeError {
    /// It can't be kept, because of `cause`.
    pub fn keep(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Keep(cause.into())
    }
}

/// Takes in mail until `stop` ends. Connections that are open then are cut off between commands;
/// a message that is being taken is still answered, if that takes no more than ten seconds.
///
/// A message has at most 1 MiB and 100 recipients. There are at most 64 connections, and one that
/// is silent for 5 minutes is cut off.
pub async fn serve_intake(
    listener: TcpListener,
    taker: Arc<impl Taker>,
    stop: impl Future<Output = ()>,
) {
    server::serve(listener, Arc::new(Intake(taker)), stop).await;
}

struct Intake<T>(Arc<T>);

impl<T: Taker> Host for Intake<T> {
    const RULES: Rules = Rules {
        name: "intake.invalid",
        message: MAX_RETURNED,
        recipients: RECIPIENTS,
        connections: CONNECTIONS,
    };

    fn knows(&self, recipient: &str) -> bool {
        self.0.knows(recipient)
    }

    async fn take(&self, envelope: Envelope, mut message: Vec<u8>) -> Vec<String> {
        let return_path = format!("Return-Path: <{}>\r\n", envelope.sender);
        message.splice(..0, return_path.into_bytes());
        let mut replies = Vec::with_capacity(envelope.recipients.len());
        for recipient in &envelope.recipients {
            let reply = match self.0.take(recipient, &message).await {
                Ok(()) => "250 2.0.0 Ok",
                Err(e) => {
                    tracing::error!(cause = %e, "the intake leaves a message to be sent again");
                    "451 4.3.0 The message can't be kept now"
                }
            };
            replies.push(reply.to_owned());
        }
        replies
    }
}
