//! Taking mail in, over SMTP (RFC 5321) or LMTP (RFC 2033): what the sink and the intake share.
//! They differ in whom they know and what they do with a message.

mod command;
mod session;
mod text;

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};

/// How long sessions that are in the middle of something may take to end.
const FAREWELL: Duration = Duration::from_secs(10);
/// How long a client that is turned away may take to hear it.
const TURN_AWAY: Duration = Duration::from_secs(1);

/// What is expected of clients.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// What the server calls itself.
    pub name: &'static str,
    /// The largest message, in bytes.
    pub message: usize,
    /// The most recipients of one message.
    pub recipients: usize,
    /// The most connections at once.
    pub connections: usize,
}

/// The envelope of a message that arrived.
#[derive(Default)]
pub struct Envelope {
    /// The address that bounces go to; empty when the message is one.
    pub sender: String,
    /// The recipients that were taken, in the order in which they were named.
    pub recipients: Vec<String>,
}

/// Who takes recipients and messages.
pub trait Host: Send + Sync + 'static {
    /// What this host expects of clients.
    const RULES: Rules;

    /// Whether mail to this address is taken.
    fn knows(&self, recipient: &str) -> bool;

    /// Takes a message; the reply for each recipient, in their order. Nobody hears it before this
    /// has ended.
    fn take(
        &self,
        envelope: Envelope,
        message: Vec<u8>,
    ) -> impl Future<Output = Vec<String>> + Send;
}

/// Takes in mail until `stop` ends. Connections that are open then are cut off between commands;
/// a message that has arrived is still taken and answered.
pub async fn serve<H: Host>(listener: TcpListener, host: Arc<H>, stop: impl Future<Output = ()>) {
    let (stopping, stopped) = watch::channel(false);
    let mut sessions = JoinSet::new();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) if sessions.len() >= H::RULES.connections => {
                    turn_away(stream, H::RULES.name).await;
                }
                Ok((stream, peer)) => {
                    sessions.spawn(session::run(stream, peer.ip(), host.clone(), stopped.clone()));
                }
                Err(e) => {
                    // Out of descriptors, most likely: give connections time to end.
                    tracing::warn!(cause = %e, "can't accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            Some(ended) = sessions.join_next() => note(&ended),
        }
    }
    stopping.send_replace(true);
    let all_ended = async {
        while let Some(ended) = sessions.join_next().await {
            note(&ended);
        }
    };
    if tokio::time::timeout(FAREWELL, all_ended).await.is_err() {
        tracing::warn!("messages were being taken when the mail server had to end");
    }
}

/// A panic ends the session, and its message goes nowhere: it may quote what it stumbled over.
fn note(ended: &Result<(), JoinError>) {
    if ended.as_ref().is_err_and(JoinError::is_panic) {
        tracing::error!("a mail session panicked");
    }
}

async fn turn_away(mut stream: TcpStream, name: &str) {
    let reply = format!("421 4.3.2 {name} has too many connections\r\n");
    let told: Result<io::Result<()>, _> =
        tokio::time::timeout(TURN_AWAY, stream.write_all(reply.as_bytes())).await;
    // Whoever does not hear it is turned away all the same.
    drop(told);
}
