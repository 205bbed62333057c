//! The intake: a mail server that receives mail returned from letters, over SMTP or LMTP, and hands
//! it to a [`Taker`].
//!
//! The intake is no relay: it refuses mail to addresses that the taker does not know and passes no
//! mail on. It confirms a message only after the taker has stored it. Until then the sending mail
//! server keeps the message and tries again. Over LMTP each recipient is confirmed separately. Over
//! SMTP there is one reply for all recipients, so a failure for one brings the message to all
//! again.

use std::error::Error;
use std::future::Future;
use std::sync::Arc;

use tokio::net::TcpListener;

use crate::server::{self, Envelope, Host, Rules};

/// The largest message that the intake accepts, in bytes.
pub const MAX_RETURNED: usize = 1 << 20;
/// The largest number of recipients of one message.
const RECIPIENTS: usize = 100;
/// The largest number of connections at once.
const CONNECTIONS: usize = 256;
/// The most bytes of texts that are arriving at once.
const ARRIVING: u64 = 64 << 20;

/// The receiver of the messages that the intake accepts.
pub trait Taker: Send + Sync + 'static {
    /// Whether the taker accepts mail to this address. The intake refuses any other address with
    /// 550 5.1.1. A session waits for this call, so it should only look into memory.
    fn knows(&self, recipient: &str) -> bool;

    /// Stores a message for one recipient. `Ok` confirms the message with 250, so it must survive a
    /// crash by then. `Err` answers 451, and the same message comes again. A confirmed message may
    /// come again too, if the reply was lost.
    ///
    /// The message begins with a Return-Path field with the sender of the envelope, which is `<>`
    /// for a bounce (RFC 5321, section 4.4). The rest is as it arrived.
    fn take(
        &self,
        recipient: &str,
        message: &[u8],
    ) -> impl Future<Output = Result<(), TakeError>> + Send;
}

/// A taker could not store a message. The sending mail server will try again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TakeError {
    /// The message can't be stored now. The cause is logged, so it must not hold personal data.
    #[error("can't store a returned message: {0}")]
    Keep(#[source] Box<dyn Error + Send + Sync>),
}

impl TakeError {
    /// The message can't be stored because of `cause`.
    pub fn keep(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Keep(cause.into())
    }
}

/// Receives mail until `stop` completes. Open connections are then closed between commands. A
/// message whose text has arrived still gets a reply if the taker needs no more than ten seconds.
///
/// A message has at most 1 MiB and 100 recipients. There are at most 256 connections. The next client
/// takes the place of the one that has been silent longest, and a connection without activity for 5
/// minutes is closed.
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
        arriving: ARRIVING,
    };

    fn knows(&self, recipient: &str) -> bool {
        self.0.knows(recipient)
    }

    async fn accept(&self, envelope: Envelope, mut message: Vec<u8>) -> Vec<String> {
        let return_path = format!("Return-Path: <{}>\r\n", envelope.sender);
        message.splice(..0, return_path.into_bytes());
        let mut replies = Vec::with_capacity(envelope.recipients.len());
        for recipient in &envelope.recipients {
            let reply = match self.0.take(recipient, &message).await {
                Ok(()) => "250 2.0.0 Ok",
                Err(e) => {
                    tracing::error!(cause = %e, "the intake deferred a message");
                    "451 4.3.0 The message can't be stored now"
                }
            };
            replies.push(reply.to_owned());
        }
        replies
    }
}
