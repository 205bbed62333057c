//! A relay that remembers what it was told, and says no when a test wants that.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Sender and recipient of each message that the relay took.
pub type Envelopes = Arc<Mutex<Vec<(String, String)>>>;

/// A message that a relay was handed, whether it took it or not.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The number of the connection.
    pub connection: usize,
    pub from: String,
    pub to: String,
    pub message_id: String,
    /// What it answered.
    pub reply: &'static str,
}

/// The relay.
#[derive(Clone)]
pub struct Relay {
    pub address: SocketAddr,
    attempts: Arc<Mutex<Vec<Attempt>>>,
    taken: Envelopes,
}

/// Starts one that takes everything.
pub async fn relay() -> (SocketAddr, Envelopes) {
    let relay = Relay::start(|_, _| None).await;
    (relay.address, relay.taken)
}

/// What a relay says to a recipient's message, the first time, the second, …; `None` to take it.
type Says = dyn Fn(&str, usize) -> Option<&'static str> + Send + Sync;

impl Relay {
    /// Starts one that answers so.
    pub async fn start(
        says: impl Fn(&str, usize) -> Option<&'static str> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let relay = Self {
            address: listener.local_addr().unwrap(),
            attempts: Arc::default(),
            taken: Envelopes::default(),
        };
        let (of, says, connections) = (relay.clone(), Arc::new(says), AtomicUsize::new(0));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let connection = connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(serve(stream, of.clone(), says.clone(), connection));
            }
        });
        relay
    }

    /// All that it was handed.
    pub fn attempts(&self) -> Vec<Attempt> {
        self.attempts.lock().unwrap().clone()
    }

    fn answer(&self, mut attempt: Attempt, says: &Says) -> &'static str {
        let mut attempts = self.attempts.lock().unwrap();
        let before = attempts.iter().filter(|of| of.to == attempt.to).count();
        attempt.reply = says(&attempt.to, before).unwrap_or("250 ok: queued as 1");
        if attempt.reply.starts_with('2') {
            self.taken.lock().unwrap().push((attempt.from.clone(), attempt.to.clone()));
        }
        attempts.push(attempt.clone());
        attempt.reply
    }
}

async fn serve(stream: TcpStream, relay: Relay, says: Arc<Says>, connection: usize) {
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
        let said = line.trim_end().to_owned();
        line.clear();
        let inside = |said: &str| said.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        let reply = match said.get(..4) {
            _ if text && said != "." => {
                if said.starts_with("Message-ID:") {
                    attempt.message_id = inside(&said);
                }
                continue;
            }
            _ if text => {
                text = false;
                relay.answer(std::mem::replace(&mut attempt, new()), &*says)
            }
            Some("MAIL") => {
                attempt.from = inside(&said);
                "250 ok"
            }
            Some("RCPT") => {
                attempt.to = inside(&said);
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
