//! The development mail sink: a real SMTP server on a loopback address that stores messages instead
//! of passing them on.
//!
//! The sink writes a message to `messages.mbox` and one line per recipient to `index.tsv` before it
//! replies 250. It does not sync the files, so messages survive a crash of the sink but not of the
//! machine. Recipients are stored as the client gave them.

mod index;
mod store;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpListener;

use crate::server::{self, Envelope, Host, Rules};
use store::Store;

pub use index::{Arrival, SinkIndex};

/// The largest message that the sink accepts, in bytes.
pub const MAX_MESSAGE: usize = 10 << 20;
/// The largest number of recipients of one message.
const MAX_RECIPIENTS: usize = 1000;

const MESSAGES: &str = "messages.mbox";
const INDEX: &str = "index.tsv";

/// The sink can't run, or its files can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SinkError {
    /// The address is not a loopback address. Other machines must not reach the sink, since it
    /// would swallow their mail.
    #[error("the mail sink listens on loopback only, not on {0}")]
    NotLoopback(SocketAddr),
    /// The address can't be bound.
    #[error("can't listen on {address}: {source}")]
    Bind {
        /// The address that was asked for.
        address: SocketAddr,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A file in the sink's directory can't be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A line of the index is malformed.
    #[error("line {line} of {} is not a line of a mail sink's index", path.display())]
    Index {
        /// The path of the index.
        path: PathBuf,
        /// The number of the line, from 1.
        line: u64,
    },
}

impl SinkError {
    fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}

/// Binds a loopback address for [`serve`]. Port 0 stands for any free port.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, SinkError> {
    check_loopback(address)?;
    TcpListener::bind(address).await.map_err(|source| SinkError::Bind { address, source })
}

fn check_loopback(address: SocketAddr) -> Result<(), SinkError> {
    if address.ip().is_loopback() { Ok(()) } else { Err(SinkError::NotLoopback(address)) }
}

/// Stores mail in `dir` until `stop` completes. Open connections are then closed between commands.
pub async fn serve(
    dir: &Path,
    listener: TcpListener,
    stop: impl Future<Output = ()>,
) -> Result<(), SinkError> {
    let address = listener.local_addr().map_err(|e| SinkError::io(dir, e))?;
    check_loopback(address)?;
    let store = Arc::new(Store::open(dir)?);
    tracing::info!(%address, stored = store.stored(), "the mail sink is listening");
    server::serve(listener, store, stop).await;
    Ok(())
}

/// The sink accepts every recipient.
impl Host for Store {
    const RULES: Rules = Rules {
        name: "localhost",
        message: MAX_MESSAGE,
        recipients: MAX_RECIPIENTS,
        connections: usize::MAX,
        arriving: u64::MAX,
    };

    fn knows(&self, _: &str) -> bool {
        true
    }

    async fn accept(&self, envelope: Envelope, message: Vec<u8>) -> Vec<String> {
        let reply = match self.keep(&envelope.recipients, &message) {
            Ok(seq) => format!("250 2.0.0 Ok: queued as {seq}"),
            Err(e) => {
                tracing::error!(cause = %e, "the mail sink can't store a message");
                "452 4.3.1 The sink can't store the message".to_owned()
            }
        };
        vec![reply; envelope.recipients.len()]
    }
}
