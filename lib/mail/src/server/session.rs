//! The session of one client. mailin's state machine handles the commands; this module reads the
//! texts of messages itself.

use std::io;
use std::mem;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mailin::{Action, Handler, Response, Session, SessionBuilder, response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::command::{self, Kind};
use super::door::Place;
use super::text::TextReader;
use super::{Envelope, Host, refuse};

/// A connection on which no byte moves for this long is closed.
const IDLE: Duration = Duration::from_mins(5);
/// The longest command line, in bytes: the limit of RFC 5321, section 4.5.3.1.4, and room for
/// extensions.
const MAX_LINE: usize = 2048;
/// The first size of the receive buffer, in bytes.
const READ: usize = 64 << 10;

/// The envelope of the current message, shared with the state machine.
type SharedEnvelope = Arc<Mutex<Envelope>>;

/// The callbacks of the state machine.
struct Callbacks<H> {
    host: Arc<H>,
    envelope: SharedEnvelope,
}

impl<H: Host> Handler for Callbacks<H> {
    fn mail(&mut self, _: IpAddr, _: &str, _: &str) -> Response {
        lock(&self.envelope).recipients.clear();
        response::OK
    }

    fn rcpt(&mut self, to: &str) -> Response {
        let mut envelope = lock(&self.envelope);
        if envelope.recipients.len() == H::RULES.recipients {
            return Response::custom(452, "4.5.3 Too many recipients".to_owned());
        }
        if !self.host.knows(to) {
            return Response::custom(550, "5.1.1 There is no such mailbox here".to_owned());
        }
        envelope.recipients.push(to.to_owned());
        response::OK
    }
}

struct Client<H: Host> {
    session: Session<Callbacks<H>>,
    host: Arc<H>,
    envelope: SharedEnvelope,
    /// Whether the client speaks LMTP, in which each recipient has its own reply to a text.
    is_lmtp: bool,
    /// The text that is arriving after DATA.
    text: Option<TextReader>,
    /// Replies that are not sent yet.
    replies: Vec<u8>,
    done: bool,
}

/// Serves one client until it disconnects, has to go for another one, or `stopping` becomes true.
pub async fn run<H: Host>(
    mut stream: TcpStream,
    peer: IpAddr,
    host: Arc<H>,
    place: Place,
    stopping: watch::Receiver<bool>,
) {
    tokio::select! {
        ended = converse(&mut stream, peer, host, &place, stopping) => if let Err(e) = ended {
            tracing::debug!(cause = %e, "a client of the mail server disconnected");
        },
        () = place.over() => refuse(stream, H::RULES.name).await,
    }
}

async fn converse<H: Host>(
    stream: &mut TcpStream,
    peer: IpAddr,
    host: Arc<H>,
    place: &Place,
    mut stopping: watch::Receiver<bool>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut client = Client::new(peer, host)?;
    let mut received = Vec::with_capacity(READ);
    let mut arriving = 0;
    loop {
        place.waits();
        let replies = mem::take(&mut client.replies);
        within(stream.write_all(&replies)).await?;
        if client.done {
            return Ok(());
        }
        tokio::select! {
            read = within(stream.read_buf(&mut received)) => if read? == 0 {
                return Ok(());
            },
            () = stop_requested(&mut stopping) => {
                client.reply("421 4.3.2 The server is shutting down");
                client.done = true;
                continue;
            }
        }
        place.works();
        let used = client.process(&received).await?;
        received.drain(..used);
        arriving = if client.text.is_some() { arriving + used as u64 } else { 0 };
        if place.holds(arriving).is_err() {
            client.reply("421 4.3.1 Too much mail is arriving");
            client.done = true;
        }
    }
}

/// Waits for `step`, but at most [`IDLE`].
async fn within<T>(step: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout(IDLE, step).await.map_err(io::Error::other)?
}

async fn stop_requested(stopping: &mut watch::Receiver<bool>) {
    // The server is stopping too if the sender is gone.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

impl<H: Host> Client<H> {
    fn new(peer: IpAddr, host: Arc<H>) -> io::Result<Self> {
        let envelope = SharedEnvelope::default();
        let callbacks = Callbacks { host: host.clone(), envelope: envelope.clone() };
        let session = SessionBuilder::new(H::RULES.name).build(peer, callbacks);
        let replies = session.greeting().buffer()?;
        let is_lmtp = false;
        Ok(Self { session, host, envelope, is_lmtp, text: None, replies, done: false })
    }

    /// Handles every complete command and text in `received` and returns the number of bytes used.
    /// A client may send several commands at once.
    async fn process(&mut self, received: &[u8]) -> io::Result<usize> {
        let mut used = 0;
        while !self.done {
            let rest = &received[used..];
            if let Some(text) = &mut self.text {
                let (taken, ended) = text.feed(rest, H::RULES.message);
                used += taken;
                if !ended {
                    break;
                }
                self.finish_text().await;
            } else if let Some(end) = rest.iter().take(MAX_LINE).position(|b| *b == b'\n') {
                self.handle_command(&rest[..=end])?;
                used += end + 1;
            } else {
                if rest.len() >= MAX_LINE {
                    self.reply("500 Line too long");
                    self.done = true;
                }
                break;
            }
        }
        Ok(used)
    }

    fn handle_command(&mut self, line: &[u8]) -> io::Result<()> {
        let command = match command::read(line, H::RULES.message) {
            Ok(command) => command,
            Err(refusal) => {
                self.reply(&refusal);
                return Ok(());
            }
        };
        let response = self.session.process(&command.line);
        match response.action {
            Action::Close => self.done = true,
            Action::NoReply => return Ok(()),
            Action::Reply | Action::UpgradeTls => {}
        }
        match command.kind {
            _ if response.is_error => {}
            Kind::Ehlo | Kind::Lhlo => {
                self.is_lmtp = command.kind == Kind::Lhlo;
                self.reply_to_greeting();
                return Ok(());
            }
            Kind::Helo => self.is_lmtp = false,
            Kind::Mail { sender } => lock(&self.envelope).sender = sender,
            Kind::Other => {}
        }
        if response.code == 354 {
            self.text = Some(TextReader::default());
        }
        response.write_to(&mut self.replies)
    }

    /// Lists the extensions. mailin's own reply lacks those that this module implements.
    fn reply_to_greeting(&mut self) {
        let size = format!("SIZE {}", H::RULES.message);
        for line in [H::RULES.name, "PIPELINING", "8BITMIME", "SMTPUTF8"] {
            self.reply(&format!("250-{line}"));
        }
        self.reply(&format!("250 {size}"));
    }

    /// Hands the text to the host and replies to the client.
    async fn finish_text(&mut self) {
        let text = self.text.take().and_then(TextReader::finish);
        let envelope = mem::take(&mut *lock(&self.envelope));
        self.session.process(b".\r\n");
        let count = envelope.recipients.len();
        let mut replies = match text {
            Some(text) => self.host.accept(envelope, text).await,
            None => vec![command::too_large(H::RULES.message); count],
        };
        // If the host returned too few replies, the rest of the recipients have to be tried again.
        replies.resize(count, "451 4.3.0 The message was not stored".to_owned());
        if !self.is_lmtp {
            // SMTP has one reply for all recipients. A failure for one must make the client send
            // again.
            let worst = replies.iter().position(|reply| !reply.starts_with('2'));
            replies.swap(0, worst.unwrap_or(0));
            replies.truncate(1);
        }
        for reply in &replies {
            self.reply(reply);
        }
    }

    fn reply(&mut self, reply: &str) {
        self.replies.extend_from_slice(reply.as_bytes());
        self.replies.extend_from_slice(b"\r\n");
    }
}

fn lock(envelope: &SharedEnvelope) -> MutexGuard<'_, Envelope> {
    envelope.lock().unwrap_or_else(PoisonError::into_inner)
}
