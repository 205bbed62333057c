//! A mail server for SMTP (RFC 5321) and LMTP (RFC 2033), which the sink and the intake share. The
//! two differ in the recipients that they accept and in what they do with a message.

mod command;
mod door;
mod session;
mod text;

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use cofferdam_core::RoomFull;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};

use door::Door;

/// The time that sessions get to end after the server was asked to stop.
const GRACE: Duration = Duration::from_secs(10);
/// The longest time for sending the reply to a refused client.
const REFUSAL: Duration = Duration::from_secs(1);

/// The name and the limits of a mail server.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// The name with which the server greets.
    pub name: &'static str,
    /// The largest message, in bytes.
    pub message: usize,
    /// The largest number of recipients of one message.
    pub recipients: usize,
    /// The largest number of connections at once. Whoever waits longest goes first.
    pub connections: usize,
    /// The most bytes of texts that are arriving at once.
    pub arriving: u64,
}

/// The envelope of a message that arrived.
#[derive(Default)]
pub struct Envelope {
    /// The address for bounces; empty if the message is itself a bounce.
    pub sender: String,
    /// The accepted recipients, in the client's order.
    pub recipients: Vec<String>,
}

/// The part of a mail server that decides on recipients and stores messages.
pub trait Host: Send + Sync + 'static {
    /// The name and the limits of the server.
    const RULES: Rules;

    /// Whether the host accepts mail to this address.
    fn knows(&self, recipient: &str) -> bool;

    /// Stores a message and returns one reply per recipient, in their order. The client gets the
    /// replies only after this future has completed.
    fn accept(
        &self,
        envelope: Envelope,
        message: Vec<u8>,
    ) -> impl Future<Output = Vec<String>> + Send;
}

/// Receives mail until `stop` completes. Open connections are then closed between commands; a
/// message that has arrived is still stored and answered.
pub async fn serve<H: Host>(listener: TcpListener, host: Arc<H>, stop: impl Future<Output = ()>) {
    let (stopping, stopped) = watch::channel(false);
    let door = Door::new(&H::RULES);
    let mut sessions = JoinSet::new();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => match door.enter(peer.ip()) {
                    Ok(place) => {
                        let (host, stopped) = (host.clone(), stopped.clone());
                        sessions.spawn(session::run(stream, peer.ip(), host, place, stopped));
                    }
                    Err(RoomFull) => {
                        sessions.spawn(refuse(stream, H::RULES.name));
                    }
                },
                Err(e) => {
                    // The process is probably out of file descriptors. Waiting lets connections
                    // end.
                    tracing::warn!(cause = %e, "can't accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            Some(ended) = sessions.join_next() => log_panic(&ended),
        }
    }
    stopping.send_replace(true);
    let all_ended = async {
        while let Some(ended) = sessions.join_next().await {
            log_panic(&ended);
        }
    };
    if tokio::time::timeout(GRACE, all_ended).await.is_err() {
        tracing::warn!("the mail server stopped before every message was stored");
    }
}

/// Logs that a session panicked, but not the panic's text, which may quote the message.
fn log_panic(ended: &Result<(), JoinError>) {
    if ended.as_ref().is_err_and(JoinError::is_panic) {
        tracing::error!("a mail session panicked");
    }
}

async fn refuse(mut stream: TcpStream, name: &str) {
    let reply = format!("421 4.3.2 {name} has too many connections\r\n");
    let sent: Result<io::Result<()>, _> =
        tokio::time::timeout(REFUSAL, stream.write_all(reply.as_bytes())).await;
    // The connection closes even if the client does not get the reply.
    drop(sent);
}
