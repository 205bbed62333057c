//! A relay that remembers every message, and refuses the messages that a test chooses.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// The sender and the recipient of each message that the relay accepted.
pub type Envelopes = Arc<Mutex<Vec<(String, String)>>>;

/// A message that was handed to the relay, accepted or not.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The number of the connection, from 0.
    pub connection: usize,
    pub from: String,
    pub to: String,
    pub message_id: String,
    /// The relay's SMTP reply.
    pub reply: &'static str,
}

/// A running relay, with the messages that it was handed.
#[derive(Clone)]
pub struct Relay {
    /// The address on which the relay listens.
    pub address: SocketAddr,
    attempts: Arc<Mutex<Vec<Attempt>>>,
    taken: Envelopes,
}

/// Starts a relay that accepts everything.
pub async fn accepting_relay() -> (SocketAddr, Envelopes) {
    let relay = Relay::start(|_, _| None).await;
    (relay.address, relay.taken)
}

/// The reply to a recipient's message, by the number of earlier messages to the same recipient.
/// `None` accepts the message.
type ReplyTo = dyn Fn(&str, usize) -> Option<&'static str> + Send + Sync;

impl Relay {
    /// Starts a relay with these replies.
    pub async fn start(
        reply_to: impl Fn(&str, usize) -> Option<&'static str> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let relay = Self {
            address: listener.local_addr().unwrap(),
            attempts: Arc::default(),
            taken: Envelopes::default(),
        };
        let (of, reply_to, connections) = (relay.clone(), Arc::new(reply_to), AtomicUsize::new(0));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let connection = connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(serve(stream, of.clone(), reply_to.clone(), connection));
            }
        });
        relay
    }

    /// Returns every message that the relay was handed.
    pub fn attempts(&self) -> Vec<Attempt> {
        self.attempts.lock().unwrap().clone()
    }

    /// Remembers a message, and replies to it.
    fn reply(&self, mut attempt: Attempt, reply_to: &ReplyTo) -> &'static str {
        let mut attempts = self.attempts.lock().unwrap();
        let before = attempts.iter().filter(|of| of.to == attempt.to).count();
        attempt.reply = reply_to(&attempt.to, before).unwrap_or("250 ok: queued as 1");
        if attempt.reply.starts_with('2') {
            self.taken.lock().unwrap().push((attempt.from.clone(), attempt.to.clone()));
        }
        attempts.push(attempt.clone());
        attempt.reply
    }
}

async fn serve(stream: TcpStream, relay: Relay, reply_to: Arc<ReplyTo>, connection: usize) {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 relay\r\n").await.unwrap();
    let new = || Attempt {
        connection,
        from: String::new(),
        to: String::new(),
        message_id: String::new(),
        reply: "",
    };
    let (mut attempt, mut text) = (new(), false);
    let mut line = String::new();
    while stream.read_line(&mut line).await.unwrap_or(0) > 0 {
        let command = line.trim_end().to_owned();
        line.clear();
        let inside =
            |command: &str| command.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        let reply = match command.get(..4) {
            _ if text && command != "." => {
                if command.starts_with("Message-ID:") {
                    attempt.message_id = inside(&command);
                }
                continue;
            }
            _ if text => {
                text = false;
                relay.reply(std::mem::replace(&mut attempt, new()), &*reply_to)
            }
            Some("MAIL") => {
                attempt.from = inside(&command);
                "250 ok"
            }
            Some("RCPT") => {
                attempt.to = inside(&command);
                "250 ok"
            }
            Some("DATA") => {
                text = true;
                "354 go on"
            }
            Some("QUIT") => return,
            _ => "250 relay",
        };
        stream.write_all(format!("{reply}\r\n").as_bytes()).await.unwrap();
    }
}
