//! The typed client for the calls of one compartment.

mod instances;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, Request, Uri, header};
use cofferdam_core::{Call, Compartment, ProblemType};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::pki_types::ServerName;
use tokio::sync::Semaphore;

use crate::body::Encoding;
use crate::{Identity, MAX_BODY, Problem};
use instances::Instances;

/// The time after which a call without a whole answer has failed.
const TIMEOUT: Duration = Duration::from_mins(1);
/// The most calls of a client at once. Further calls wait, because a compartment refuses a caller
/// with more than 256 connections.
const CALLS: usize = 200;

/// The header with a warning beside an answer: a code, for programs.
pub const WARNING: &str = "cofferdam-warning";

/// The handler to which a client passes a warning.
type OnWarning = Arc<dyn Fn(&str) + Send + Sync>;

/// A client of one compartment under one identity. Clones share its connections.
#[derive(Clone)]
pub struct Client {
    /// The compartment whose name the server's certificate must have.
    of: Compartment,
    identity: Identity,
    connections: Arc<Mutex<Connections>>,
    /// The compartment's instances.
    instances: Arc<Instances>,
    /// A permit for each call at once.
    permits: Arc<Semaphore>,
    on_warning: Option<OnWarning>,
}

type Https = Pool<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// The connections under one generation of the identity. A renewed certificate needs new ones.
struct Connections {
    generation: u64,
    pool: Https,
}

/// A call failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The compartment answered with a problem document.
    #[error(transparent)]
    Problem(#[from] Problem),
    /// The compartment sent no whole answer in time.
    #[error("{peer} does not answer: {cause}")]
    Unreachable {
        /// The base URL of the instance.
        peer: Arc<str>,
        /// The error of the connection.
        cause: String,
    },
    /// This version can't parse the answer.
    #[error("the answer of {peer} can't be parsed: {cause}")]
    Garbled {
        /// The base URL of the instance.
        peer: Arc<str>,
        /// The fault of the answer.
        cause: String,
    },
}

impl CallError {
    /// Whether the compartment answered with a problem of type `kind`.
    #[must_use]
    pub fn is(&self, kind: ProblemType) -> bool {
        self.problem().is_some_and(|problem| problem.is(kind))
    }

    /// The problem with which the compartment answered, if it did.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem(problem) => Some(problem),
            Self::Unreachable { .. } | Self::Garbled { .. } => None,
        }
    }
}

/// A compartment passes on the refusal of another compartment. Any failure of the other compartment
/// becomes [`ProblemType::UPSTREAM`].
impl From<CallError> for Problem {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Problem(problem) if !problem.is(ProblemType::INTERNAL) => problem,
            other => {
                tracing::error!(cause = %other, "a call to another compartment failed");
                Self::new(ProblemType::UPSTREAM, "another compartment did not answer")
            }
        }
    }
}

impl Client {
    /// A client of the compartment `of` at the URL `base`, such as `https://localhost:7001`. It
    /// presents the certificate of `identity`, and talks only to a server whose certificate has the
    /// compartment's name.
    #[must_use]
    pub fn new(of: Compartment, base: &str, identity: &Identity) -> Self {
        Self::any(of, &[base], identity)
    }

    /// A client of a compartment with several instances. It stays with one instance while that one
    /// answers. A call whose instance falls silent is made again at another one, unless it must be made
    /// once ([`Call::ONCE`]).
    #[must_use]
    pub fn any<S: AsRef<str>>(of: Compartment, bases: &[S], identity: &Identity) -> Self {
        let bases = bases.iter().map(|base| base.as_ref().trim_end_matches('/').into());
        let generation = identity.generation();
        let connections = Connections { generation, pool: pool(of, identity) };
        Self {
            of,
            identity: identity.clone(),
            connections: Arc::new(Mutex::new(connections)),
            instances: Arc::new(Instances::new(bases)),
            permits: Arc::new(Semaphore::new(CALLS)),
            on_warning: None,
        }
    }

    /// Hands the code of each warning beside an answer to `tell`.
    #[must_use]
    pub fn on_warning(mut self, tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.on_warning = Some(Arc::new(tell));
        self
    }

    /// Makes one call and waits for its answer.
    pub async fn call<C: Call>(&self, call: &C) -> Result<C::Answer, CallError> {
        let encoding = if C::COMPACT { Encoding::Postcard } else { Encoding::Json };
        let body =
            encoding.encode(call).map_err(|cause| garbled(&self.instances.first(), cause))?;
        let body = Bytes::from(body);
        // Boxed, because every future that makes a call would be as large.
        Box::pin(self.choose()).await;
        let order = self.instances.in_order();
        let mut last = Failure::no_instance();
        for (n, (place, base)) in order.iter().enumerate() {
            let request = request::<C>(base, encoding, body.clone())?;
            let is_left = n + 1 < order.len();
            let attempt = self.attempt((*place, base), request, is_left && !C::ONCE);
            match Box::pin(attempt).await {
                Ok(answer) => {
                    self.instances.answered(*place);
                    self.tell_warning(answer.headers());
                    return parse_answer::<C>(base, &answer);
                }
                // Without a connection nothing was sent. Otherwise the call may have been carried out.
                Err(failure) if is_left && failure.may_repeat(C::ONCE) => last = failure,
                Err(failure) => return Err(failure.error),
            }
        }
        Err(last.error)
    }

    /// Whether an instance of the compartment answers its health check within two seconds, and says
    /// that it works.
    pub async fn is_healthy(&self) -> bool {
        self.health().await.is_some_and(|(works, _)| works)
    }

    /// Whether the compartment works, and the lines of its health check; `None` if no instance answers
    /// within two seconds.
    pub async fn health(&self) -> Option<(bool, String)> {
        self.choose_now().await;
        let asked = async { self.health_of(&self.instances.first()).await };
        tokio::time::timeout(Duration::from_secs(2), asked).await.ok()?
    }

    async fn health_of(&self, base: &str) -> Option<(bool, String)> {
        let request = Request::get(format!("{base}/healthz")).body(Full::new(Bytes::new())).ok()?;
        let (head, body) = self.pool().request(request).await.ok()?.into_parts();
        let body = Limited::new(body, MAX_BODY).collect().await.ok()?.to_bytes();
        Some((head.status.is_success(), String::from_utf8_lossy(&body).into_owned()))
    }

    fn tell_warning(&self, headers: &HeaderMap) {
        let code = headers.get(WARNING).and_then(|code| code.to_str().ok());
        if let (Some(tell), Some(code)) = (&self.on_warning, code) {
            tell(code);
        }
    }

    fn pool(&self) -> Https {
        let generation = self.identity.generation();
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        if connections.generation != generation {
            *connections = Connections { generation, pool: pool(self.of, &self.identity) };
        }
        connections.pool.clone()
    }

    /// Sends a request and waits for the answer. With `while_alive`, gives up when the instance does not
    /// even tell its health.
    async fn attempt(
        &self,
        (place, base): (usize, &Arc<str>),
        request: Request<Full<Bytes>>,
        while_alive: bool,
    ) -> Result<axum::http::Response<Bytes>, Failure> {
        if !while_alive {
            return self.exchange(base, request).await;
        }
        tokio::select! {
            answer = self.exchange(base, request) => answer,
            () = self.falls_silent(place) => Err(Failure::silent(base)),
        }
    }

    /// Sends a request and waits for the whole answer, at most [`TIMEOUT`].
    async fn exchange(
        &self,
        base: &Arc<str>,
        request: Request<Full<Bytes>>,
    ) -> Result<axum::http::Response<Bytes>, Failure> {
        let failed = |e: &(dyn std::error::Error + 'static), kind| Failure {
            kind,
            error: unreachable(base, e),
        };
        let exchange = async {
            // The semaphore is never closed, so this only waits.
            let _permit = self.permits.acquire().await;
            let response = self.pool().request(request).await;
            let response = response.map_err(|e| {
                let kind = if e.is_connect() { FailureKind::Connect } else { FailureKind::Lost };
                failed(&e, kind)
            })?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, MAX_BODY).collect().await;
            let bytes = body.map_err(|e| failed(e.as_ref(), FailureKind::Lost))?.to_bytes();
            Ok(axum::http::Response::from_parts(head, bytes))
        };
        tokio::time::timeout(TIMEOUT, exchange)
            .await
            .map_err(|e| failed(&e, FailureKind::Timeout))?
    }
}

/// A failed exchange.
struct Failure {
    kind: FailureKind,
    error: CallError,
}

/// How far an exchange came before it failed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum FailureKind {
    /// There was no connection, so nothing was sent.
    Connect,
    /// The connection or the instance was lost. The call may have been carried out.
    Lost,
    /// There was no whole answer in time, from an instance that lives.
    Timeout,
}

impl Failure {
    fn silent(base: &Arc<str>) -> Self {
        let cause = "it fell silent".to_owned();
        let error = CallError::Unreachable { peer: base.clone(), cause };
        Self { kind: FailureKind::Lost, error }
    }

    fn no_instance() -> Self {
        let (peer, cause) = ("".into(), "no instance is configured".to_owned());
        Self { kind: FailureKind::Connect, error: CallError::Unreachable { peer, cause } }
    }

    /// Whether another instance may get the call. `once` is that of the call.
    fn may_repeat(&self, once: bool) -> bool {
        match self.kind {
            FailureKind::Connect => true,
            FailureKind::Lost => !once,
            FailureKind::Timeout => false,
        }
    }
}

fn pool(of: Compartment, identity: &Identity) -> Https {
    let connector = hyper_rustls::HttpsConnectorBuilder::new()
        .with_tls_config(identity.client_config())
        .https_only()
        .with_server_name_resolver(move |_: &_| ServerName::try_from(of.server_name()))
        .enable_http1()
        .build();
    Pool::builder(TokioExecutor::new()).pool_idle_timeout(Duration::from_secs(30)).build(connector)
}

fn request<C: Call>(
    base: &Arc<str>,
    encoding: Encoding,
    body: Bytes,
) -> Result<Request<Full<Bytes>>, CallError> {
    let uri: Uri = format!("{base}{}", C::PATH).parse().map_err(|e| unreachable(base, &e))?;
    Request::post(uri)
        .header(header::CONTENT_TYPE, encoding.media_type())
        .body(Full::new(body))
        .map_err(|e| unreachable(base, &e))
}

fn parse_answer<C: Call>(
    base: &Arc<str>,
    answer: &axum::http::Response<Bytes>,
) -> Result<C::Answer, CallError> {
    if !answer.status().is_success() {
        let problem: Problem = serde_json::from_slice(answer.body())
            .map_err(|_| garbled(base, format!("status {}", answer.status())))?;
        return Err(problem.into());
    }
    let encoding = Encoding::from_headers(answer.headers())
        .ok_or_else(|| garbled(base, "unknown content type".to_owned()))?;
    encoding.decode(answer.body()).map_err(|cause| garbled(base, cause))
}

fn unreachable(base: &Arc<str>, error: &(dyn std::error::Error + 'static)) -> CallError {
    let mut cause = error.to_string();
    let mut inner = error.source();
    while let Some(e) = inner {
        cause = format!("{cause}: {e}");
        inner = e.source();
    }
    CallError::Unreachable { peer: base.clone(), cause }
}

fn garbled(base: &Arc<str>, cause: String) -> CallError {
    CallError::Garbled { peer: base.clone(), cause }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client({})", self.instances.text())
    }
}
