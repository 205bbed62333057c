//! A relay that remembers envelopes: the address that a letter comes back to stands nowhere else.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Sender and recipient of each message that the relay took.
pub type Envelopes = Arc<Mutex<Vec<(String, String)>>>;

/// Starts it; it takes everything.
pub async fn relay() -> (SocketAddr, Envelopes) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, taken) = (listener.local_addr().unwrap(), Envelopes::default());
    let of = taken.clone();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(take(stream, of.clone()));
        }
    });
    (address, taken)
}

async fn take(stream: TcpStream, taken: Envelopes) {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 relay\r\n").await.unwrap();
    let (mut from, mut to, mut text) = (String::new(), String::new(), false);
    let mut line = String::new();
    while stream.read_line(&mut line).await.unwrap_or(0) > 0 {
        let said = line.trim_end().to_owned();
        line.clear();
        let inside = |said: &str| said.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        let reply = match said.get(..4) {
            _ if text && said != "." => continue,
            _ if text => {
                text = false;
                taken.lock().unwrap().push((from.clone(), to.clone()));
                "250 ok: queued as 1"
            }
            Some("MAIL") => {
                from = inside(&said);
                "250 ok"
            }
            Some("RCPT") => {
                to = inside(&said);
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
