//! The development mail sink: a real SMTP server, on a loopback address only, that stores what
//! arrives instead of passing it on.
//!
//! A message is in `messages.mbox`, and a line per recipient in `index.tsv`, before the client
//! hears 250. Both are handed to the system, not forced to disk: they survive the death of the
//! sink, not that of the machine. Recipients are kept as given.

mod index;
mod session;
mod store;
mod text;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use store::Store;

pub use index::{Arrival, SinkIndex};

/// The largest message, in bytes, that the sink takes.
pub const MAX_MESSAGE: usize = 10 << 20;

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
    let mut sessions = JoinSet::new();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => return Ok(()),
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    sessions.spawn(session::run(stream, peer.ip(), store.clone()));
                }
                Err(e) => {
                    // Out of descriptors, most likely: give connections time to end.
                    tracing::warn!(cause = %e, "can't accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = sessions.join_next() => {}
        }
    }
}
