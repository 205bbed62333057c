//! One client of the sink: commands go through mailin's state machine, the text past it.

use std::io;
use std::mem;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mailin::{Action, Handler, Response, Session, SessionBuilder, response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::MAX_MESSAGE;
use super::store::Store;
use super::text::TextReader;

/// A client that says nothing for so long is gone.
const IDLE: Duration = Duration::from_mins(5);
/// The longest command line (RFC 5321, section 4.5.3.1.4, with room for extensions).
const MAX_LINE: usize = 2048;
/// The most recipients of one message.
const MAX_RECIPIENTS: usize = 1000;
const READ: usize = 64 << 10;

/// The recipients of the message that is being announced, shared with the state machine.
type Recipients = Arc<Mutex<Vec<String>>>;

/// What the state machine asks: everybody is welcome.
struct Desk(Recipients);

impl Handler for Desk {
    fn mail(&mut self, _: IpAddr, _: &str, _: &str) -> Response {
        lock(&self.0).clear();
        response::OK
    }

    fn rcpt(&mut self, to: &str) -> Response {
        let mut recipients = lock(&self.0);
        if recipients.len() == MAX_RECIPIENTS {
            return Response::custom(452, "Too many recipients".to_owned());
        }
        recipients.push(to.to_owned());
        response::OK
    }
}

struct Client {
    session: Session<Desk>,
    recipients: Recipients,
    store: Arc<Store>,
    /// The text that is arriving, after DATA.
    text: Option<TextReader>,
    replies: Vec<u8>,
    done: bool,
}

/// Serves one client until it goes.
pub async fn run(mut stream: TcpStream, peer: IpAddr, store: Arc<Store>) {
    if let Err(e) = converse(&mut stream, peer, store).await {
        tracing::debug!(cause = %e, "a client of the mail sink went away");
    }
}

async fn converse(stream: &mut TcpStream, peer: IpAddr, store: Arc<Store>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut client = Client::new(peer, store)?;
    let mut received = Vec::with_capacity(READ);
    while !client.done {
        if !client.replies.is_empty() {
            stream.write_all(&mem::take(&mut client.replies)).await?;
        }
        let read = stream.read_buf(&mut received);
        if tokio::time::timeout(IDLE, read).await.map_err(io::Error::other)?? == 0 {
            return Ok(());
        }
        let used = client.take(&received)?;
        received.drain(..used);
    }
    stream.write_all(&client.replies).await
}

impl Client {
    fn new(peer: IpAddr, store: Arc<Store>) -> io::Result<Self> {
        let recipients = Recipients::default();
        let session = SessionBuilder::new("localhost").build(peer, Desk(recipients.clone()));
        let replies = session.greeting().buffer()?;
        Ok(Self { session, recipients, store, text: None, replies, done: false })
    }

    /// Handles all that is complete in `received`, however many commands were sent at once; how
    /// much of it was used.
    fn take(&mut self, received: &[u8]) -> io::Result<usize> {
        let mut used = 0;
        while !self.done {
            let rest = &received[used..];
            if let Some(text) = &mut self.text {
                let (taken, ended) = text.feed(rest, MAX_MESSAGE);
                used += taken;
                if !ended {
                    break;
                }
                self.text_ended();
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
        let response = self.session.process(line);
        match response.action {
            Action::Close => self.done = true,
            Action::NoReply => return Ok(()),
            Action::Reply | Action::UpgradeTls => {}
        }
        let says_ehlo = line.get(..4).is_some_and(|word| word.eq_ignore_ascii_case(b"ehlo"));
        if says_ehlo && !response.is_error {
            // mailin does not offer what is the server loop's to offer.
            self.replies.extend_from_slice(b"250-localhost\r\n250-PIPELINING\r\n250 8BITMIME\r\n");
            return Ok(());
        }
        if response.code == 354 {
            self.text = Some(TextReader::default());
        }
        response.write_to(&mut self.replies)
    }

    /// Stores the text, then answers, then brings the state machine to the next message.
    fn text_ended(&mut self) {
        let text = self.text.take().and_then(TextReader::finish);
        let recipients = mem::take(&mut *lock(&self.recipients));
        self.session.process(b".\r\n");
        let Some(text) = text else {
            return self.say(&format!("552 A message has at most {MAX_MESSAGE} bytes"));
        };
        match self.store.keep(&recipients, &text) {
            Ok(seq) => self.say(&format!("250 2.0.0 Ok: queued as {seq}")),
            Err(e) => {
                tracing::error!(cause = %e, "the mail sink can't store a message");
                self.say("452 4.3.1 The sink can't store the message");
            }
        }
    }

    fn say(&mut self, reply: &str) {
        self.replies.extend_from_slice(reply.as_bytes());
        self.replies.extend_from_slice(b"\r\n");
    }
}

fn lock(recipients: &Recipients) -> MutexGuard<'_, Vec<String>> {
    recipients.lock().unwrap_or_else(PoisonError::into_inner)
}
