//! The typed client: a connection pool to one compartment.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::{Request, Uri, header};
use cofferdam_core::{Call, ProblemType};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::body::Encoding;
use crate::{Identity, MAX_BODY, Problem};

/// The longest that a call may take before it counts as failed.
const PATIENCE: Duration = Duration::from_mins(1);

/// A client of one compartment, under one identity. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    identity: Identity,
    connections: Arc<Mutex<Connections>>,
    /// Where its instances answer.
    bases: Arc<[Arc<str>]>,
    /// The instance that answered last.
    preferred: Arc<AtomicUsize>,
}

type Https = Pool<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// The connections of one generation of the identity: a renewed one makes new ones.
struct Connections {
    generation: u64,
    pool: Https,
}

/// Why a call brought no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The compartment answered with a problem document.
    #[error(transparent)]
    Problem(#[from] Problem),
    /// There was no answer, or not in time.
    #[error("{peer} does not answer: {cause}")]
    Unreachable {
        /// Its address.
        peer: Arc<str>,
        /// What the connection said.
        cause: String,
    },
    /// There was an answer that this version does not understand.
    #[error("{peer} answered what can't be read: {cause}")]
    Garbled {
        /// Its address.
        peer: Arc<str>,
        /// What is wrong with it.
        cause: String,
    },
}

impl CallError {
    /// Whether the compartment answered with a problem of this type.
    #[must_use]
    pub fn is(&self, of: ProblemType) -> bool {
        self.problem().is_some_and(|problem| problem.is(of))
    }

    /// The problem, when the compartment answered with one.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem(problem) => Some(problem),
            Self::Unreachable { .. } | Self::Garbled { .. } => None,
        }
    }
}

/// What a compartment tells its own caller when the compartment behind it fails: a refusal is passed
/// on, and any failure is *upstream*.
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
    /// A client for the compartment at `base` (`https://localhost:7001`) that shows `identity`.
    #[must_use]
    pub fn new(base: &str, identity: &Identity) -> Self {
        Self::any(&[base], identity)
    }

    /// A client for a compartment of several instances: it stays with one until that can't be
    /// reached.
    #[must_use]
    pub fn any<S: AsRef<str>>(bases: &[S], identity: &Identity) -> Self {
        let bases = bases.iter().map(|base| base.as_ref().trim_end_matches('/').into());
        let connections = Connections { generation: identity.generation(), pool: pool(identity) };
        Self {
            identity: identity.clone(),
            connections: Arc::new(Mutex::new(connections)),
            bases: bases.collect(),
            preferred: Arc::default(),
        }
    }

    /// Makes one call and waits for its answer.
    pub async fn call<C: Call>(&self, call: &C) -> Result<C::Answer, CallError> {
        let encoding = if C::COMPACT { Encoding::Postcard } else { Encoding::Json };
        let base = self.base(0);
        let body = encoding.encode(call).map_err(|cause| garbled(&base, cause))?;
        let body = Bytes::from(body);
        let mut attempt = 0;
        loop {
            let base = self.base(attempt);
            let request = request::<C>(&base, encoding, body.clone())?;
            match self.within_patience(&base, request).await {
                // Nothing was sent: another instance may be asked.
                Err(Failure { connect: true, .. }) if attempt + 1 < self.bases.len() => {
                    attempt += 1;
                }
                Err(failure) => return Err(failure.error),
                Ok(answer) => {
                    self.prefer(attempt);
                    return read::<C>(&base, &answer);
                }
            }
        }
    }

    /// Whether the compartment says that it is ready.
    pub async fn is_healthy(&self) -> bool {
        let Ok(request) =
            Request::get(format!("{}/healthz", self.base(0))).body(Full::new(Bytes::new()))
        else {
            return false;
        };
        let answer = tokio::time::timeout(Duration::from_secs(2), self.pool().request(request));
        matches!(answer.await, Ok(Ok(response)) if response.status().is_success())
    }

    fn base(&self, attempt: usize) -> Arc<str> {
        let at = self.preferred.load(Ordering::Relaxed) + attempt;
        self.bases.get(at % self.bases.len().max(1)).cloned().unwrap_or_else(|| "".into())
    }

    fn prefer(&self, attempt: usize) {
        if attempt > 0 {
            self.preferred.fetch_add(attempt, Ordering::Relaxed);
        }
    }

    fn pool(&self) -> Https {
        let generation = self.identity.generation();
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        if connections.generation != generation {
            *connections = Connections { generation, pool: pool(&self.identity) };
        }
        connections.pool.clone()
    }

    async fn within_patience(
        &self,
        base: &Arc<str>,
        request: Request<Full<Bytes>>,
    ) -> Result<axum::http::Response<Bytes>, Failure> {
        let failed = |e: &(dyn std::error::Error + 'static), connect| Failure {
            connect,
            error: unreachable(base, e),
        };
        let exchange = async {
            let response = self.pool().request(request).await;
            let response = response.map_err(|e| failed(&e, e.is_connect()))?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, MAX_BODY).collect().await;
            let bytes = body.map_err(|e| failed(e.as_ref(), false))?.to_bytes();
            Ok(axum::http::Response::from_parts(head, bytes))
        };
        tokio::time::timeout(PATIENCE, exchange).await.map_err(|e| failed(&e, false))?
    }
}

/// Why there was no answer, and whether that is because nobody could be connected to.
struct Failure {
    connect: bool,
    error: CallError,
}

fn pool(identity: &Identity) -> Https {
    let connector = hyper_rustls::HttpsConnectorBuilder::new()
        .with_tls_config(identity.client_config())
        .https_only()
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

fn read<C: Call>(
    base: &Arc<str>,
    answer: &axum::http::Response<Bytes>,
) -> Result<C::Answer, CallError> {
    if !answer.status().is_success() {
        let problem: Problem = serde_json::from_slice(answer.body())
            .map_err(|_| garbled(base, format!("status {}", answer.status())))?;
        return Err(problem.into());
    }
    let encoding = Encoding::of(answer.headers())
        .ok_or_else(|| garbled(base, "no known content type".to_owned()))?;
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
        write!(f, "Client({})", self.bases.join(", "))
    }
}
