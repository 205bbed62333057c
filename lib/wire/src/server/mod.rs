//! The server loops. One serves callers over mutual TLS, takes the caller from the certificate and
//! logs each request. The other serves public pages over plain HTTP.

mod caller;
mod connection;
mod files;
mod hall;
mod handshake;
mod metered;
mod pace;
mod public;
mod request_log;
mod shutdown;

use std::convert::Infallible;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use cofferdam_core::{CallerName, RoomLimits, Sha256, network};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tower::{ServiceExt, service_fn};

pub use caller::{Caller, Peer};
pub use public::serve_anybody;
pub use shutdown::Shutdown;

use crate::{Health, Identity, Problem, RevokedKeys};
use connection::Times;
use hall::{Hall, Seat};
use handshake::{Admitted, handshake};
use pace::{Pace, Paced};
use request_log::log_request;

/// The longest time for a client's TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// The time limits of a caller's connection. A client of this crate gives up a call after a minute
/// and an idle connection after 30 seconds, so it never meets them.
const TIMES: Times =
    Times { quiet: Duration::from_secs(90), body: Duration::from_mins(1), pace: None };
/// Clients in the TLS handshake, by network. Who they are is known only afterwards, so the room is
/// small, and the oldest goes first.
const KNOCKING: RoomLimits = RoomLimits {
    guests: 512,
    guests_each: 512,
    newest: 128,
    bytes: u64::MAX,
    bytes_each: u64::MAX,
};
/// Connections of ordinary callers, by name.
const ORDINARY: RoomLimits = RoomLimits {
    guests: 1024,
    guests_each: 256,
    newest: 0,
    bytes: 256 << 20,
    bytes_each: 64 << 20,
};
/// Connections of callers for whom room is kept, by name.
const KEPT: RoomLimits = RoomLimits {
    guests: 512,
    guests_each: 256,
    newest: 0,
    bytes: 512 << 20,
    bytes_each: 256 << 20,
};
/// The most bytes that an ordinary caller's connection has sent and nobody has read. The kernel doubles it.
const UNREAD: usize = 128 << 10;
/// The time that open requests get after the server was asked to stop.
const GRACE: Duration = Duration::from_secs(10);
/// The time between two checks for renewed certificate files.
const RENEW_EVERY: Duration = Duration::from_secs(5);

/// A server can't listen on its address.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The address can't be bound.
    #[error("can't listen on {address}: {source}")]
    Bind {
        /// The address as configured.
        address: SocketAddr,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The process may open too few files to serve the connections that it has room for.
    #[error(
        "this process may open {have} files and needs {need}; raise the hard limit \
         (LimitNOFILE={need} in systemd, or ulimit -Hn {need})"
    )]
    Files {
        /// The hard limit of the process.
        have: u64,
        /// The least limit.
        need: u64,
    },
    /// The limit of open files can't be raised.
    #[error("can't raise the limit of open files: {0}")]
    RaiseFiles(std::io::Error),
}

/// A bound socket that does not serve yet.
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    refused: Option<mpsc::Sender<RefusedClient>>,
    is_kept: Arc<IsKept>,
    health: Health,
    revoked: RevokedKeys,
}

/// Whether room is kept for a caller.
type IsKept = dyn Fn(&CallerName) -> bool + Send + Sync;

/// A client whose certificate was refused in the TLS handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedClient {
    /// The client's IP address.
    pub peer: IpAddr,
    /// The fault of the certificate.
    pub why: String,
}

impl Listener {
    /// Binds `address`. Port 0 stands for any free port. Raises the process's limit of open files.
    pub async fn bind(address: SocketAddr) -> Result<Self, ServeError> {
        files::raise_limit()?;
        let failed = |source| ServeError::Bind { address, source };
        let socket = TcpListener::bind(address).await.map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        let (is_kept, revoked) = (Arc::new(|_: &CallerName| false), RevokedKeys::default());
        let health = Health::default();
        Ok(Self { socket, address, refused: None, is_kept, revoked, health })
    }

    /// The bound address, with the real port.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends every client with a refused certificate to `to`. If the channel is full, the client is
    /// only logged.
    #[must_use]
    pub fn tell_refused(mut self, to: mpsc::Sender<RefusedClient>) -> Self {
        self.refused = Some(to);
        self
    }

    /// Answers `/healthz` from `health`.
    #[must_use]
    pub fn tell_health(mut self, health: Health) -> Self {
        self.health = health;
        self
    }

    /// Refuses clients whose keys are on this list, now or later. A connection that is open when its
    /// key is added gets no further answer.
    #[must_use]
    pub fn refuse_keys(mut self, revoked: RevokedKeys) -> Self {
        self.revoked = revoked;
        self
    }

    /// Keeps room for the connections of some callers, such as staff and other compartments. All
    /// other callers together can't take it.
    #[must_use]
    pub fn keep_room_for(
        mut self,
        is_kept: impl Fn(&CallerName) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.is_kept = Arc::new(is_kept);
        self
    }

    /// Serves `router` until `stop` completes, to clients with a certificate of the same authority.
    /// Open requests then get ten more seconds. Renewed certificate files are used without a
    /// restart. The number of connections, their waits and the memory for bodies are bounded by the
    /// rules of [`Room`](cofferdam_core::Room). A caller for whom no room is kept gets at most 1,000
    /// answers in a second, or 100 refusals, and sends at most 65 MiB.
    pub async fn serve(self, identity: &Identity, router: Router, stop: impl Future<Output = ()>) {
        let health = self.health.clone();
        let router = router
            .route("/healthz", get(move || async move { health.answer() }))
            .fallback(|| async { Problem::not_found("there is no such route") })
            .layer(middleware::from_fn(log_request));
        let renewing = tokio::spawn(renew(identity.clone()));
        let connections = GracefulShutdown::new();
        let door = Arc::new(Door {
            router,
            refused: self.refused,
            is_kept: self.is_kept,
            revoked: self.revoked,
            knocking: Hall::new("knocking", KNOCKING),
            ordinary: Hall::new("ordinary", ORDINARY),
            kept: Hall::new("kept", KEPT),
            pace: Pace::new(pace::REQUESTS),
            bodies: Arc::new(Pace::new(pace::BODIES)),
        });
        tokio::pin!(stop);
        loop {
            let (stream, peer) = tokio::select! {
                () = &mut stop => break,
                accepted = accept(&self.socket) => accepted,
            };
            // A client in the handshake only waits, so there is always one to close.
            let Ok(seat) = door.knocking.enter(network(peer.ip()), HANDSHAKE) else { continue };
            let acceptor = TlsAcceptor::from(identity.server_config());
            let (door, watcher) = (door.clone(), connections.watcher());
            tokio::spawn(async move {
                if let Some(admitted) = door.admit(acceptor, stream, peer, seat).await {
                    door.serve(admitted, peer.ip(), watcher).await;
                }
            });
        }
        drop(self.socket);
        renewing.abort();
        if tokio::time::timeout(GRACE, connections.shutdown()).await.is_err() {
            tracing::warn!("open requests were cut off after {GRACE:?}");
        }
    }
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Listener({})", self.address)
    }
}

/// What the tasks of a listener's connections share.
struct Door {
    router: Router,
    refused: Option<mpsc::Sender<RefusedClient>>,
    is_kept: Arc<IsKept>,
    revoked: RevokedKeys,
    knocking: Hall<IpAddr>,
    ordinary: Hall<CallerName>,
    kept: Hall<CallerName>,
    /// The pace of ordinary callers.
    pace: Pace,
    /// The pace of the bodies that ordinary callers send.
    bodies: Arc<Pace>,
}

impl Door {
    /// Makes the handshake, unless the client has to go before it ends.
    async fn admit(
        &self,
        acceptor: TlsAcceptor,
        stream: TcpStream,
        peer: SocketAddr,
        seat: Seat<IpAddr>,
    ) -> Option<Admitted> {
        let made = tokio::select! {
            made = handshake(acceptor, stream, peer) => made,
            () = seat.over() => return None,
        };
        let admitted = made.and_then(|admitted| {
            if self.revoked.contains(&admitted.key) {
                tracing::warn!(%peer, caller = %admitted.caller, "a revoked key was refused");
                return Err(Some(format!("the key of {} was revoked", admitted.caller)));
            }
            Ok(admitted)
        });
        match admitted {
            Ok(admitted) => Some(admitted),
            Err(why) => {
                if let (Some(why), Some(refused)) = (why, &self.refused) {
                    // A full channel already holds reports of other clients.
                    let _ = refused.try_send(RefusedClient { peer: peer.ip(), why });
                }
                None
            }
        }
    }

    /// Serves a caller until its connection ends.
    async fn serve(self: Arc<Self>, admitted: Admitted, peer: IpAddr, watcher: Watcher) {
        let Admitted { stream, caller, key } = admitted;
        if !(self.is_kept)(&caller) {
            // Without this, the kernel takes in megabytes from each connection that are never read.
            SockRef::from(stream.get_ref().0).set_recv_buffer_size(UNREAD).ok();
        }
        let Ok(seat) = self.hall(&caller).enter(caller.clone(), TIMES.quiet) else {
            tracing::debug!(%caller, "a caller has too many calls in hand");
            return;
        };
        let service = service_fn(move |mut request: Request| {
            request.extensions_mut().insert(Caller(caller.clone()));
            request.extensions_mut().insert(Peer(peer));
            let (door, caller) = (self.clone(), caller.clone());
            async move { door.answer(request, &caller, &key).await }
        });
        connection::serve(stream, service, seat, TIMES, watcher).await;
    }

    /// Answers a request, in the turn of an ordinary caller.
    async fn answer(
        &self,
        mut request: Request,
        caller: &CallerName,
        key: &Sha256,
    ) -> Result<Response, Infallible> {
        let is_paced = !(self.is_kept)(caller);
        if is_paced {
            self.pace.wait(caller).await;
            let paced = |body| Body::new(Paced::new(body, caller.clone(), self.bodies.clone()));
            request = request.map(paced);
        }
        let answer = if self.revoked.contains(key) {
            Problem::not_granted("this key was revoked").into_response()
        } else {
            self.router.clone().oneshot(request).await?
        };
        if is_paced && answer.status() == StatusCode::FORBIDDEN {
            self.pace.note_refusal(caller);
        }
        Ok(answer)
    }

    fn hall(&self, caller: &CallerName) -> &Hall<CallerName> {
        if (self.is_kept)(caller) { &self.kept } else { &self.ordinary }
    }
}

/// Accepts the next connection. While the process is out of file descriptors, it waits for
/// connections to end.
async fn accept(socket: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match socket.accept().await {
            Ok(accepted) => return accepted,
            Err(e) => {
                tracing::warn!(cause = %e, "can't accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn renew(identity: Identity) {
    loop {
        tokio::time::sleep(RENEW_EVERY).await;
        match identity.renew() {
            Ok(true) => tracing::info!(name = %identity.name(), "the certificate was renewed"),
            Ok(false) => {}
            Err(e) => tracing::error!(cause = %e, "the renewed certificate files can't be used"),
        }
    }
}
