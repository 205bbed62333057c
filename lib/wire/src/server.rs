//! The server loops. One serves callers over mutual TLS, takes the caller from the certificate and
//! logs each request. The other serves public pages over plain HTTP.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{FromRequestParts, MatchedPath, Request};
use axum::http::request::Parts;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::get;
use cofferdam_core::{CallerName, ProblemType};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use crate::identity::caller_of;
use crate::problem::ProblemCode;
use crate::{Health, Identity, Problem};

/// The longest time for a client's TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// The largest number of public connections at once.
const PUBLIC_CONNECTIONS: usize = 512;
/// The longest time for the head of a request on a public connection.
const PUBLIC_HEAD: Duration = Duration::from_secs(10);
/// The longest time for which a public connection stays open.
const PUBLIC_STAY: Duration = Duration::from_secs(30);
/// The time that open requests get after the server was asked to stop.
const GRACE: Duration = Duration::from_secs(10);
/// The time between two checks for renewed certificate files.
const RENEW_EVERY: Duration = Duration::from_secs(5);

/// The identity in the client's certificate, as an extractor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller(pub CallerName);

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| Problem::not_granted("the certificate names no caller"))
    }
}

/// The client's IP address, as an extractor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

impl<S: Send + Sync> FromRequestParts<S> for Peer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let unknown = || Problem::new(ProblemType::INTERNAL, "the client's address is unknown");
        parts.extensions.get::<Self>().copied().ok_or_else(unknown)
    }
}

/// A server can't listen on its address.
#[derive(Debug, thiserror::Error)]
#[error("can't listen on {address}: {source}")]
pub struct ServeError {
    address: SocketAddr,
    source: std::io::Error,
}

/// The request to stop the process: SIGTERM or Ctrl-C.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shutdown;

impl Shutdown {
    /// Waits until the process is asked to stop.
    pub async fn requested(self) {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut terminate), Ok(mut interrupt)) =
            (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
        else {
            tracing::error!("signals can't be received; stop this process with SIGKILL");
            return std::future::pending().await;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
}

/// A bound socket that does not serve yet.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    refused: Option<mpsc::Sender<RefusedClient>>,
    health: Health,
}

/// A client whose certificate was refused in the TLS handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedClient {
    /// The client's IP address.
    pub peer: IpAddr,
    /// The fault of the certificate.
    pub why: String,
}

impl Listener {
    /// Binds `address`. Port 0 stands for any free port.
    pub async fn bind(address: SocketAddr) -> Result<Self, ServeError> {
        let failed = |source| ServeError { address, source };
        let socket = TcpListener::bind(address).await.map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        Ok(Self { socket, address, refused: None, health: Health::default() })
    }

    /// The bound address, with the real port.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers `/healthz` from `health`.
    #[must_use]
    pub fn tell_health(mut self, health: Health) -> Self {
        self.health = health;
        self
    }

    /// Sends every client with a refused certificate to `to`. If the channel is full, the client is
    /// only logged.
    #[must_use]
    pub fn tell_refused(mut self, to: mpsc::Sender<RefusedClient>) -> Self {
        self.refused = Some(to);
        self
    }

    /// Serves `router` until `stop` completes, to clients with a certificate of the same authority.
    /// Open requests then get ten more seconds. Renewed certificate files are used without a
    /// restart.
    pub async fn serve(self, identity: &Identity, router: Router, stop: impl Future<Output = ()>) {
        let health = self.health.clone();
        let router = router
            .route("/healthz", get(move || async move { health.answer() }))
            .fallback(|| async { Problem::not_found("there is no such route") })
            .layer(middleware::from_fn(log_request));
        let renewing = tokio::spawn(renew(identity.clone()));
        let connections = GracefulShutdown::new();
        tokio::pin!(stop);
        loop {
            let (stream, peer) = tokio::select! {
                () = &mut stop => break,
                accepted = self.socket.accept() => match accepted {
                    Ok(accepted) => accepted,
                    Err(e) => {
                        // The process is probably out of file descriptors. Waiting lets connections
                        // end.
                        tracing::warn!(cause = %e, "can't accept a connection");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        continue;
                    }
                },
            };
            let watcher = connections.watcher();
            let acceptor = TlsAcceptor::from(identity.server_config());
            let (router, refused) = (router.clone(), self.refused.clone());
            tokio::spawn(async move {
                let (stream, caller) = match handshake(acceptor, stream, peer).await {
                    Ok(admitted) => admitted,
                    Err(why) => {
                        if let (Some(why), Some(refused)) = (why, refused) {
                            // A full channel already holds reports of other clients.
                            let _ = refused.try_send(RefusedClient { peer: peer.ip(), why });
                        }
                        return;
                    }
                };
                let service = router.map_request(move |mut request: Request<_>| {
                    request.extensions_mut().insert(Caller(caller.clone()));
                    request.extensions_mut().insert(Peer(peer.ip()));
                    request.map(axum::body::Body::new)
                });
                let connection = http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
                if let Err(e) = watcher.watch(connection).await {
                    tracing::debug!(%peer, cause = %e, "connection ended early");
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

/// Serves public pages over plain HTTP for as long as the future is polled. The number and the
/// duration of connections are bounded, so that strangers can't exhaust the process. Handlers can
/// extract the [`Peer`].
pub async fn serve_anybody(socket: TcpListener, router: Router) {
    let places = Arc::new(Semaphore::new(PUBLIC_CONNECTIONS));
    loop {
        // `acquire_owned` fails only on a closed semaphore, and this one is never closed.
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let (stream, peer) = match socket.accept().await {
            Ok(accepted) => accepted,
            Err(e) => {
                tracing::warn!(cause = %e, "can't accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let service = router.clone().map_request(move |mut request: Request<_>| {
            request.extensions_mut().insert(Peer(peer.ip()));
            request.map(axum::body::Body::new)
        });
        tokio::spawn(async move {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(PUBLIC_HEAD)
                .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
            // A stranger's broken connection is no fault of ours, so it is not logged.
            let _ = tokio::time::timeout(PUBLIC_STAY, connection).await;
            drop(place);
        });
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

/// Makes the TLS handshake and takes the caller from the certificate. The error is the fault of the
/// certificate, or `None` if the handshake failed for another reason.
async fn handshake(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    peer: SocketAddr,
) -> Result<(tokio_rustls::server::TlsStream<TcpStream>, CallerName), Option<String>> {
    stream.set_nodelay(true).ok();
    let stream = match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(e)) => {
            tracing::warn!(%peer, cause = %e, "the TLS handshake failed");
            return Err(bad_certificate(&e));
        }
        Err(_) => {
            tracing::warn!(%peer, "the TLS handshake took too long");
            return Err(None);
        }
    };
    let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
    let Some(caller) = certificate.and_then(caller_of) else {
        tracing::warn!(%peer, "the client's certificate names no caller");
        return Err(Some("the certificate names no caller".to_owned()));
    };
    Ok((stream, caller))
}

/// The fault of a client's certificate, if that ended the handshake.
fn bad_certificate(error: &std::io::Error) -> Option<String> {
    let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    match error {
        rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => {
            Some(error.to_string())
        }
        _ => None,
    }
}

/// Logs one line per request with caller, route, status and time. The route is its pattern and
/// never the URL, which may hold personal data.
async fn log_request(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let caller = request.extensions().get::<Caller>().map(|c| c.0.to_string());
    let route = request.extensions().get::<MatchedPath>().map(|p| p.as_str().to_owned());
    let response = next.run(request).await;
    count_request(route.as_deref().unwrap_or("-"), &response, started.elapsed());
    let problem = response.extensions().get::<ProblemCode>();
    tracing::info!(
        caller = caller.as_deref().unwrap_or("-"),
        route = route.as_deref().unwrap_or("-"),
        status = response.status().as_u16(),
        problem = problem.map(|code| code.0.as_str()),
        ms = started.elapsed().as_millis(),
        "request"
    );
    response
}

fn count_request(route: &str, response: &Response, took: Duration) {
    let (route, status) = (route.to_owned(), response.status().as_u16().to_string());
    metrics::counter!("cofferdam_requests_total", "route" => route.clone(), "status" => status)
        .increment(1);
    metrics::histogram!("cofferdam_request_seconds", "route" => route).record(took);
}
