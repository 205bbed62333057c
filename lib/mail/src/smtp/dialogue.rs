//! Lines out, replies in.

use std::future::Future;
use std::io;
use std::time::Duration;

use smtp_proto::Error;
use smtp_proto::response::parser::ResponseReceiver;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::replies::Reply;

/// The connection can't be used any more, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken(pub String);

/// How long one block of a text may take to leave (RFC 5321, section 4.5.3.2.5).
const BLOCK: Duration = Duration::from_mins(3);

/// A connection to a relay.
pub struct Dialogue {
    stream: TcpStream,
    /// What arrived and belongs to no complete reply yet.
    received: Vec<u8>,
    parser: ResponseReceiver,
}

impl Dialogue {
    pub fn new(stream: TcpStream) -> Self {
        Self { stream, received: Vec::new(), parser: ResponseReceiver::default() }
    }

    /// Sends all of `bytes`.
    pub async fn say(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        self.say_counted(bytes).await.1
    }

    /// Sends `bytes`; tells how many the system took, also when it broke off.
    pub async fn say_counted(&mut self, bytes: &[u8]) -> (usize, Result<(), Broken>) {
        let mut sent = 0;
        while sent < bytes.len() {
            let written = within(BLOCK, self.stream.write(&bytes[sent..])).await;
            match written {
                Ok(0) => return (sent, Err(Broken("the connection takes no more".to_owned()))),
                Ok(count) => sent += count,
                Err(broken) => return (sent, Err(broken)),
            }
        }
        (sent, Ok(()))
    }

    /// Waits for the next reply, however many lines it has.
    pub async fn hear(&mut self, patience: Duration) -> Result<Reply, Broken> {
        within(patience, self.next_reply()).await
    }

    async fn next_reply(&mut self) -> io::Result<Reply> {
        loop {
            let mut bytes = self.received.iter();
            let parsed = self.parser.parse(&mut bytes);
            let left = bytes.len();
            self.received.drain(..self.received.len() - left);
            match parsed {
                Ok(response) => {
                    self.parser.reset();
                    let [class, subject, detail] = response.esc;
                    let mut text = response.message;
                    if class != 0 {
                        text = format!("{class}.{subject}.{detail} {text}");
                    }
                    return Ok(Reply { code: response.code, text });
                }
                Err(Error::NeedsMoreData { .. }) => {}
                Err(e) => return Err(io::Error::other(format!("no SMTP reply: {e:?}"))),
            }
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err(io::Error::other("the relay closed the connection"));
            }
        }
    }
}

/// Waits for `work`, but not longer than `patience`.
async fn within<T>(
    patience: Duration,
    work: impl Future<Output = io::Result<T>>,
) -> Result<T, Broken> {
    match tokio::time::timeout(patience, work).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(e)) => Err(Broken(e.to_string())),
        Err(_) => Err(Broken(format!("no answer within {} s", patience.as_secs()))),
    }
}
