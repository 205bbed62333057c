//! The wire between a server and its database, which a test can cut.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A wire to a server. While it is cut, nothing passes, and no connection ends: so does a network that
/// loses every packet.
pub struct Wire {
    address: SocketAddr,
    cut: watch::Sender<bool>,
}

impl Wire {
    /// A wire to `server`, such as `127.0.0.1:5432`.
    pub async fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (cut, is_cut) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let Ok(far) = TcpStream::connect(&server).await else { continue };
                let ((near_out, near_in), (far_out, far_in)) =
                    (near.into_split(), far.into_split());
                tokio::spawn(carry(near_out, far_in, is_cut.clone()));
                tokio::spawn(carry(far_out, near_in, is_cut.clone()));
            }
        });
        Self { address, cut }
    }

    /// A wire to the server of a PostgreSQL URL, and the URL through it.
    pub async fn to_database(url: &str) -> (Self, String) {
        let (before, rest) = url.split_once('@').expect("a URL with a user");
        let (server, database) = rest.split_once('/').expect("a URL with a database");
        let wire = Self::to(server.to_owned()).await;
        let url = format!("{before}@{}/{database}", wire.address);
        (wire, url)
    }

    /// The address of the near end.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Cuts the wire.
    pub fn cut(&self) {
        self.cut.send_replace(true);
    }

    /// Mends the wire. Everything that was sent meanwhile arrives.
    pub fn mend(&self) {
        self.cut.send_replace(false);
    }
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut cut: watch::Receiver<bool>) {
    let mut piece = vec![0; 16 * 1024];
    while let Ok(size @ 1..) = from.read(&mut piece).await {
        let whole = cut.wait_for(|cut| !cut).await.is_ok();
        if !whole || to.write_all(&piece[..size]).await.is_err() {
            return;
        }
    }
}
