//! One client: commands go through mailin's state machine, the text past it.

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
use super::text::TextReader;
use super::{Envelope, Host};

/// A client that says nothing, or hears nothing, for so long is gone.
const IDLE: Duration = Duration::from_mins(5);
/// The longest command line (RFC 5321, section 4.5.3.1.4, with room for extensions).
const MAX_LINE: usize = 2048;
const READ: usize = 64 << 10;

/// The envelope of the message that is being announced, shared with the state machine.
type Announced = Arc<Mutex<Envelope>>;

/// What the state machine asks.
struct Desk<H> {
    host: Arc<H>,
    announced: Announced,
}

impl<H: Host> Handler for Desk<H> {
    fn mail(&mut self, _: IpAddr, _: &str, _: &str) -> Response {
        lock(&self.announced).recipients.clear();
        response::OK
    }

    fn rcpt(&mut self, to: &str) -> Response {
        let mut announced = lock(&self.announced);
        if announced.recipients.len() == H::RULES.recipients {
            return Response::custom(452, "4.5.3 Too many recipients".to_owned());
        }
        if !self.host.knows(to) {
            return Response::custom(550, "5.1.1 There is no such mailbox here".to_owned());
        }
        announced.recipients.push(to.to_owned());
        response::OK
    }
}

struct Client<H: Host> {
    session: Session<Desk<H>>,
    host: Arc<H>,
    announced: Announced,
    /// Whether the client speaks LMTP: then each recipient has its own reply to a text.
    is_lmtp: bool,
    /// The text that is arriving, after DATA.
    text: Option<TextReader>,
    replies: Vec<u8>,
    done: bool,
}

/// Serves one client until it goes, or `stopping` says so.
pub async fn run<H: Host>(
    mut stream: TcpStream,
    peer: IpAddr,
    host: Arc<H>,
    stopping: watch::Receiver<bool>,
) {
    if let Err(e) = converse(&mut stream, peer, host, stopping).await {
        tracing::debug!(cause = %e, "a client of the mail server went away");
    }
}

async fn converse<H: Host>(
    stream: &mut TcpStream,
    peer: IpAddr,
    host: Arc<H>,
    mut stopping: watch::Receiver<bool>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut client = Client::new(peer, host)?;
    let mut received = Vec::with_capacity(READ);
    loop {
        let replies = mem::take(&mut client.replies);
        within(stream.write_all(&replies)).await?;
        if client.done {
            return Ok(());
        }
        tokio::select! {
            read = within(stream.read_buf(&mut received)) => if read? == 0 {
                return Ok(());
            },
            () = ends(&mut stopping) => {
                client.say("421 4.3.2 The server is shutting down");
                client.done = true;
                continue;
            }
        }
        let used = client.take(&received).await?;
        received.drain(..used);
    }
}

/// What `step` gives, unless the client lets us wait too long.
async fn within<T>(step: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout(IDLE, step).await.map_err(io::Error::other)?
}

async fn ends(stopping: &mut watch::Receiver<bool>) {
    // A sender that is gone says it as well.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

impl<H: Host> Client<H> {
    fn new(peer: IpAddr, host: Arc<H>) -> io::Result<Self> {
        let announced = Announced::default();
        let desk = Desk { host: host.clone(), announced: announced.clone() };
        let session = SessionBuilder::new(H::RULES.name).build(peer, desk);
        let replies = session.greeting().buffer()?;
        let is_lmtp = false;
        Ok(Self { session, host, announced, is_lmtp, text: None, replies, done: false })
    }

    /// Handles all that is complete in `received`, however many commands were sent at once; how
    /// much of it was used.
    async fn take(&mut self, received: &[u8]) -> io::Result<usize> {
        let mut used = 0;
        while !self.done {
            let rest = &received[used..];
            if let Some(text) = &mut self.text {
                let (taken, ended) = text.feed(rest, H::RULES.message);
                used += taken;
                if !ended {
                    break;
                }
                self.text_ended().await;
            } else if let Some(end) = rest.iter().take(MAX_LINE).position(|b| *b == b'\n') {
                self.command(&rest[..=end])?;
                used += end + 1;
            } else {
                if rest.len() >= MAX_LINE {
                    self.say("500 Line too long");
                    self.done = true;
                }
                break;
            }
        }
        Ok(used)
    }

    fn command(&mut self, line: &[u8]) -> io::Result<()> {
        let command = match command::read(line, H::RULES.message) {
            Ok(command) => command,
            Err(refusal) => {
                self.say(&refusal);
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
                self.offer();
                return Ok(());
            }
            Kind::Helo => self.is_lmtp = false,
            Kind::Mail { sender } => lock(&self.announced).sender = sender,
            Kind::Other => {}
        }
        if response.code == 354 {
            self.text = Some(TextReader::default());
        }
        response.write_to(&mut self.replies)
    }

    /// mailin does not offer what is the server loop's to offer.
    fn offer(&mut self) {
        let size = format!("SIZE {}", H::RULES.message);
        for line in [H::RULES.name, "PIPELINING", "8BITMIME", "SMTPUTF8"] {
            self.say(&format!("250-{line}"));
        }
        self.say(&format!("250 {size}"));
    }

    /// Has the text taken, then answers, then is ready for the next message.
    async fn text_ended(&mut self) {
        let text = self.text.take().and_then(TextReader::finish);
        let envelope = mem::take(&mut *lock(&self.announced));
        self.session.process(b".\r\n");
        let count = envelope.recipients.len();
        let mut replies = match text {
            Some(text) => self.host.take(envelope, text).await,
            None => vec![command::too_large(H::RULES.message); count],
        };
        // A recipient that nobody answered for is not served.
        replies.resize(count, "451 4.3.0 The message was not taken".to_owned());
        if !self.is_lmtp {
            // One reply for all: the client sends again unless everybody has the message.
            let worst = replies.iter().position(|reply| !reply.starts_with('2'));
            replies.swap(0, worst.unwrap_or(0));
            replies.truncate(1);
        }
        for reply in &replies {
            self.say(reply);
        }
    }

    fn say(&mut self, reply: &str) {
        self.replies.extend_from_slice(reply.as_bytes());
        self.replies.extend_from_slice(b"\r\n");
    }
}

fn lock(announced: &Announced) -> MutexGuard<'_, Envelope> {
    announced.lock().unwrap_or_else(PoisonError::into_inner)
}
