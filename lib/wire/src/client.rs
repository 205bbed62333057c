//! The typed client: a connection pool to one compartment.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{Request, Uri, header};
use cofferdam_core::Call;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::body::Encoding;
use crate::{Identity, MAX_BODY, Problem, ProblemKind};

/// The longest that a call may take before it counts as failed.
const PATIENCE: Duration = Duration::from_mins(1);

/// A client of one compartment, under one identity. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    pool: Pool<HttpsConnector<HttpConnector>, Full<Bytes>>,
    base: Arc<str>,
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
    /// The kind of problem, when the compartment answered with one.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem(problem) => Some(problem),
            Self::Unreachable { .. } | Self::Garbled { .. } => None,
        }
    }
}

/// What a compartment tells its own caller when the one behind it fails: a refusal is passed on,
/// the rest is *upstream*.
impl From<CallError> for Problem {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Problem(problem) if problem.kind != ProblemKind::Internal => problem,
            other => {
                tracing::error!(cause = %other, "a call to another compartment failed");
                Self::new(ProblemKind::Upstream, "another compartment does not answer")
            }
        }
    }
}

impl Client {
    /// A client for the compartment at `base` (`https://localhost:7001`) that shows `identity`.
    #[must_use]
    pub fn new(base: &str, identity: &Identity) -> Self {
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(identity.client_config())
            .https_only()
            .enable_http1()
            .build();
        let pool = Pool::builder(TokioExecutor::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .build(connector);
        Self { pool, base: base.trim_end_matches('/').into() }
    }

    /// Makes one call and waits for its answer.
    pub async fn call<C: Call>(&self, call: &C) -> Result<C::Answer, CallError> {
        let encoding = if C::COMPACT { Encoding::Postcard } else { Encoding::Json };
        let body = encoding.encode(call).map_err(|cause| self.garbled(cause))?;
        let uri: Uri =
            format!("{}{}", self.base, C::PATH).parse().map_err(|e| self.unreachable(&e))?;
        let request = Request::post(uri)
            .header(header::CONTENT_TYPE, encoding.media_type())
            .body(Full::new(Bytes::from(body)))
            .map_err(|e| self.unreachable(&e))?;
        let answer = tokio::time::timeout(PATIENCE, self.exchange(request))
            .await
            .map_err(|e| self.unreachable(&e))??;
        self.read::<C>(&answer)
    }

    /// Whether the compartment says that it is ready.
    pub async fn is_healthy(&self) -> bool {
        let Ok(request) =
            Request::get(format!("{}/healthz", self.base)).body(Full::new(Bytes::new()))
        else {
            return false;
        };
        let answer = tokio::time::timeout(Duration::from_secs(2), self.pool.request(request)).await;
        matches!(answer, Ok(Ok(response)) if response.status().is_success())
    }

    async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<axum::http::Response<Bytes>, CallError> {
        let response = self.pool.request(request).await.map_err(|e| self.unreachable(&e))?;
        let (head, body) = response.into_parts();
        let bytes = Limited::new(body, MAX_BODY)
            .collect()
            .await
            .map_err(|e| self.unreachable(e.as_ref()))?
            .to_bytes();
        Ok(axum::http::Response::from_parts(head, bytes))
    }

    fn read<C: Call>(&self, answer: &axum::http::Response<Bytes>) -> Result<C::Answer, CallError> {
        if !answer.status().is_success() {
            let problem: Problem = serde_json::from_slice(answer.body())
                .map_err(|_| self.garbled(format!("status {}", answer.status())))?;
            return Err(problem.into());
        }
        let encoding = Encoding::of(answer.headers())
            .ok_or_else(|| self.garbled("no known content type".to_owned()))?;
        encoding.decode(answer.body()).map_err(|cause| self.garbled(cause))
    }

    fn unreachable(&self, error: &(dyn std::error::Error + 'static)) -> CallError {
        let mut cause = error.to_string();
        let mut inner = error.source();
        while let Some(e) = inner {
            cause = format!("{cause}: {e}");
            inner = e.source();
        }
        CallError::Unreachable { peer: self.base.clone(), cause }
    }

    fn garbled(&self, cause: String) -> CallError {
        CallError::Garbled { peer: self.base.clone(), cause }
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client({})", self.base)
    }
}
