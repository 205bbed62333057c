//! The server loop: accepts TLS, learns the caller from the certificate, logs each request.

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
use crate::{Identity, Problem};

/// How long a client may take for its TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Connections of strangers at once; how long one may take for the head of a request, and stay.
const STRANGERS: usize = 512;
const HEADERS: Duration = Duration::from_secs(10);
const STAY: Duration = Duration::from_secs(30);
/// How long open requests may take after a shutdown was asked for.
const GRACE: Duration = Duration::from_secs(10);

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

/// From where the client speaks, as an extractor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

impl<S: Send + Sync> FromRequestParts<S> for Peer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let unknown = || Problem::new(ProblemType::INTERNAL, "the connection has no other end");
        parts.extensions.get::<Self>().copied().ok_or_else(unknown)
    }
}

/// Why a server stopped or did not start.
#[derive(Debug, thiserror::Error)]
#[error("can't listen on {address}: {source}")]
pub struct ServeError {
    address: SocketAddr,
    source: std::io::Error,
}

/// Ends when the process is asked to stop (SIGTERM or Ctrl-C).
#[derive(Debug, Clone, Copy, Default)]
pub struct Shutdown;

impl Shutdown {
    /// Waits for the request to stop.
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

/// A bound socket, not yet serving.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    refused: Option<mpsc::Sender<RefusedClient>>,
}

/// A client that was turned away at the door, for its certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedClient {
    /// From where it knocked.
    pub peer: IpAddr,
    /// What is wrong with its certificate.
    pub why: String,
}

impl Listener {
    /// Binds `address`; port 0 takes a free one.
    pub async fn bind(address: SocketAddr) -> Result<Self, ServeError> {
        let failed = |source| ServeError { address, source };
        let socket = TcpListener::bind(address).await.map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        Ok(Self { socket, address, refused: None })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Tells of clients whose certificate is no good. What nobody takes in time is dropped: it
    /// stands in the process's log.
    #[must_use]
    pub fn tell_refused(mut self, to: mpsc::Sender<RefusedClient>) -> Self {
        self.refused = Some(to);
        self
    }

    /// Serves `router` to clients with a certificate of the same authority until `stop` ends;
    /// open requests are then given ten seconds. Renewed certificates are taken while it serves.
    pub async fn serve(self, identity: &Identity, router: Router, stop: impl Future<Output = ()>) {
        let router = router
            .route("/healthz", get(|| async { "ok" }))
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
                        // Out of descriptors, most likely: give connections time to end.
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
                            // Full: many knock, and one of them was told of.
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

/// Serves pages that anybody may read, over plain HTTP, for as long as it is polled. Strangers hold a
/// bounded number of connections, each for a bounded time. Handlers find the [`Peer`].
pub async fn serve_anybody(socket: TcpListener, router: Router) {
    let places = Arc::new(Semaphore::new(STRANGERS));
    loop {
        // Never closed.
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
                .header_read_timeout(HEADERS)
                .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
            // How a stranger's connection ends is of no interest.
            let _ = tokio::time::timeout(STAY, connection).await;
            drop(place);
        });
    }
}

/// How often the certificate's files are looked at.
const RENEW_EVERY: Duration = Duration::from_secs(5);

async fn renew(identity: Identity) {
    loop {
        tokio::time::sleep(RENEW_EVERY).await;
        match identity.renew() {
            Ok(true) => tracing::info!(name = %identity.name(), "the certificate was renewed"),
            Ok(false) => {}
            Err(e) => tracing::error!(cause = %e, "renewed certificate files can't be used"),
        }
    }
}

/// Who comes in; or what is wrong with the certificate, where that is why not.
async fn handshake(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    peer: SocketAddr,
) -> Result<(tokio_rustls::server::TlsStream<TcpStream>, CallerName), Option<String>> {
    stream.set_nodelay(true).ok();
    let stream = match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(e)) => {
            tracing::warn!(%peer, cause = %e, "TLS handshake refused");
            return Err(bad_certificate(&e));
        }
        Err(_) => {
            tracing::warn!(%peer, "TLS handshake took too long");
            return Err(None);
        }
    };
    let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
    let Some(caller) = certificate.and_then(caller_of) else {
        tracing::warn!(%peer, "the client's certificate names no caller");
        return Err(Some("it names no caller".to_owned()));
    };
    Ok((stream, caller))
}

/// What is wrong with a client's certificate, if that is what ended its handshake.
fn bad_certificate(error: &std::io::Error) -> Option<String> {
    let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    match error {
        rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => {
            Some(error.to_string())
        }
        _ => None,
    }
}

/// One line a request: who, which route, how it ended. The route's pattern, never the URL.
async fn log_request(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let caller = request.extensions().get::<Caller>().map(|c| c.0.to_string());
    let route = request.extensions().get::<MatchedPath>().map(|p| p.as_str().to_owned());
    let response = next.run(request).await;
    count(route.as_deref().unwrap_or("-"), &response, started.elapsed());
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

fn count(route: &str, response: &Response, took: Duration) {
    let (route, status) = (route.to_owned(), response.status().as_u16().to_string());
    metrics::counter!("cofferdam_requests_total", "route" => route.clone(), "status" => status)
        .increment(1);
    metrics::histogram!("cofferdam_request_seconds", "route" => route).record(took);
}
