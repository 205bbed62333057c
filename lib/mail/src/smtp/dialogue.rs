//! Sends lines to a relay and receives its replies.

use std::future::Future;
use std::io;
use std::time::Duration;

use rustls_pki_types::ServerName;
use smtp_proto::Error;
use smtp_proto::response::parser::ResponseReceiver;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::replies::Reply;
use super::stream::Stream;

/// The connection can't be used any more, for the reason in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken(pub String);

/// The timeout for sending one block of a text (RFC 5321, section 4.5.3.2.5).
const BLOCK: Duration = Duration::from_mins(3);

/// The timeout for the TLS handshake.
const HANDSHAKE: Duration = Duration::from_mins(1);

/// The largest reply with all its lines, in bytes. The limit keeps a relay from filling the memory.
const LONGEST: usize = 64 * 1024;

/// A connection to a relay.
pub struct Dialogue {
    stream: Stream,
    /// Bytes that were received but not parsed yet.
    received: Vec<u8>,
    parser: ResponseReceiver,
    /// The number of parsed bytes of an incomplete reply.
    length: usize,
}

impl Dialogue {
    pub fn new(stream: Stream) -> Self {
        let parser = ResponseReceiver::default();
        Self { stream, received: Vec::new(), parser, length: 0 }
    }

    /// A dialogue over TLS from the first byte.
    pub async fn encrypted(
        stream: TcpStream,
        tls: (&TlsConnector, ServerName<'static>),
    ) -> Result<Self, Broken> {
        let (connector, name) = tls;
        let stream = within(HANDSHAKE, connector.connect(name, stream)).await?;
        Ok(Self::new(Stream::Tls(Box::new(stream))))
    }

    /// Starts TLS on a plain connection. Bytes that arrived in clear behind the reply to STARTTLS
    /// may come from an attacker, so they are an error (RFC 3207).
    pub async fn encrypt(self, tls: (&TlsConnector, ServerName<'static>)) -> Result<Self, Broken> {
        match self.stream {
            Stream::Plain(stream) if self.received.is_empty() => Self::encrypted(stream, tls).await,
            _ => Err(Broken("the relay sent data before TLS began".to_owned())),
        }
    }

    pub const fn is_encrypted(&self) -> bool {
        self.stream.is_encrypted()
    }

    /// Sends all of `bytes`.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        self.send_counted(bytes).await.1
    }

    /// Sends `bytes` and returns how many of them the system took, even if the connection broke.
    pub async fn send_counted(&mut self, bytes: &[u8]) -> (usize, Result<(), Broken>) {
        let mut sent = 0;
        while sent < bytes.len() {
            let written = within(BLOCK, self.stream.write(&bytes[sent..])).await;
            match written {
                Ok(0) => {
                    return (sent, Err(Broken("the connection takes no more data".to_owned())));
                }
                Ok(count) => sent += count,
                Err(broken) => return (sent, Err(broken)),
            }
        }
        (sent, within(BLOCK, self.stream.flush()).await)
    }

    /// Waits for the next reply with all its lines.
    pub async fn receive(&mut self, timeout: Duration) -> Result<Reply, Broken> {
        within(timeout, self.next_reply()).await
    }

    async fn next_reply(&mut self) -> io::Result<Reply> {
        loop {
            let mut bytes = self.received.iter();
            let parsed = self.parser.parse(&mut bytes);
            let left = bytes.len();
            let read = self.received.len() - left;
            self.received.drain(..read);
            self.length += read;
            match parsed {
                Ok(response) => {
                    self.parser.reset();
                    self.length = 0;
                    let [class, subject, detail] = response.esc;
                    let mut text = response.message;
                    if class != 0 {
                        text = format!("{class}.{subject}.{detail} {text}");
                    }
                    return Ok(Reply { code: response.code, text });
                }
                Err(Error::NeedsMoreData { .. }) if self.length + left <= LONGEST => {}
                Err(Error::NeedsMoreData { .. }) => {
                    let cause = format!("the relay's reply has more than {LONGEST} bytes");
                    return Err(io::Error::other(cause));
                }
                Err(e) => return Err(io::Error::other(format!("not an SMTP reply: {e:?}"))),
            }
            if self.stream.read(&mut self.received).await? == 0 {
                return Err(io::Error::other("the relay closed the connection"));
            }
        }
    }
}

/// Waits for `work`, but at most `timeout`.
async fn within<T>(
    timeout: Duration,
    work: impl Future<Output = io::Result<T>>,
) -> Result<T, Broken> {
    match tokio::time::timeout(timeout, work).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(e)) => Err(Broken(e.to_string())),
        Err(_) => Err(Broken(format!("no answer within {} s", timeout.as_secs()))),
    }
}
