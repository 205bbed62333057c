//! The development mail sink: a real SMTP server, on a loopback address only, that stores what
//! arrives instead of passing it on.
//!
//! A message is in `messages.mbox`, and a line per recipient in `index.tsv`, before the client
//! hears 250. Both are handed to the system, not forced to disk: they survive the death of the
//! sink, not that of the machine. Recipients are kept as given.

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

/// The largest message, in bytes, that the sink takes.
pub const MAX_MESSAGE: usize = 10 << 20;
/// The most recipients of one message.
const MAX_RECIPIENTS: usize = 1000;

const MESSAGES: &str = "messages.mbox";
const INDEX: &str = "index.tsv";

/// Why the sink does not run, or can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SinkError {
    /// Customers' mail must not be swallowed by mistake: nobody else is to reach the sink.
    #[error("the mail sink listens on loopback only, not on {0}")]
    NotLoopback(SocketAddr),
    /// The address can't be bound.
    #[error("can't listen on {address}: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// A file of its directory can't be used.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A line of the index is none.
    #[error("{} line {line} is not what the sink writes", path.display())]
    Index {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
    },
}

impl SinkError {
    fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}

/// Binds a loopback address for [`serve`]; port 0 takes a free one.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, SinkError> {
    check_loopback(address)?;
    TcpListener::bind(address).await.map_err(|source| SinkError::Bind { address, source })
}

fn check_loopback(address: SocketAddr) -> Result<(), SinkError> {
    if address.ip().is_loopback() { Ok(()) } else { Err(SinkError::NotLoopback(address)) }
}

/// Takes in mail until `stop` ends; connections that are open then are cut off between commands.
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

/// Everybody is welcome.
impl Host for Store {
    const RULES: Rules = Rules {
        name: "localhost",
        message: MAX_MESSAGE,
        recipients: MAX_RECIPIENTS,
        connections: usize::MAX,
    };

    fn knows(&self, _: &str) -> bool {
        true
    }

    async fn take(&self, envelope: Envelope, message: Vec<u8>) -> Vec<String> {
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
