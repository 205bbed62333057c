//! Errors as they leave a compartment: problem documents (RFC 9457).

use std::fmt;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

/// What went wrong, in a form that a caller's code can act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ProblemKind {
    /// The request is not understood. 400
    BadRequest,
    /// Signing in failed: the address or the password is wrong, and which is not said. 401
    BadCredentials,
    /// The session is not (or no longer) open at this caller. 401
    NoSession,
    /// The password was voided: it takes a reset. 403
    CredentialVoided,
    /// The caller has no grant for this. 403
    NotGranted,
    /// The caller is frozen. 403
    Frozen,
    /// The warrant does not allow this. 403
    WarrantRefused,
    /// There is no such thing. 404
    NotFound,
    /// It stands in the way of what is there. 409
    Conflict,
    /// The request is larger than allowed. 413
    TooLarge,
    /// The caller's budget is spent. 429
    BudgetExhausted,
    /// Something inside failed; the log of the compartment says what. 500
    Internal,
    /// Another compartment does not answer. 502
    Upstream,
    /// This compartment can't serve now. 503
    Unavailable,
}

impl ProblemKind {
    const fn status(self) -> StatusCode {
        match self {
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::BadCredentials | Self::NoSession => StatusCode::UNAUTHORIZED,
            Self::CredentialVoided | Self::NotGranted | Self::Frozen | Self::WarrantRefused => {
                StatusCode::FORBIDDEN
            }
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Conflict => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BudgetExhausted => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Upstream => StatusCode::BAD_GATEWAY,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::BadRequest => "The request is not understood",
            Self::BadCredentials => "The address or the password is wrong",
            Self::NoSession => "There is no such session here",
            Self::CredentialVoided => "The password is void; it takes a reset",
            Self::NotGranted => "No grant for this",
            Self::Frozen => "The caller is frozen",
            Self::WarrantRefused => "The warrant does not allow this",
            Self::NotFound => "Not found",
            Self::Conflict => "It stands in the way of what is there",
            Self::TooLarge => "The request is too large",
            Self::BudgetExhausted => "The budget is spent",
            Self::Internal => "Something inside failed",
            Self::Upstream => "Another compartment does not answer",
            Self::Unavailable => "This compartment can't serve now",
        }
    }
}

/// A problem document. Its `detail` may be logged and shown: no personal data in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What kind; in JSON the last part of `type`.
    pub kind: ProblemKind,
    /// A sentence on this case.
    pub detail: String,
    /// When it is worth trying again, in seconds from now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
}

/// The document on the wire: what RFC 9457 asks for, and ours.
#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    #[serde(flatten)]
    problem: &'a Problem,
}

impl Problem {
    /// A problem of `kind`.
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), retry_after_s: None }
    }

    /// The same, worth trying again in `seconds`.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// The request is not understood, and why.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::BadRequest, detail)
    }

    /// The caller has no grant for this.
    pub fn not_granted(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::NotGranted, detail)
    }

    /// There is no such thing.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::NotFound, detail)
    }

    /// Something inside failed: the cause goes to the log, the caller is told no more than that.
    pub fn internal(cause: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(cause = %Chain(cause), "internal error");
        Self::new(ProblemKind::Internal, "the compartment's log says what failed")
    }
}

/// An error with its causes, on one line.
struct Chain<'a>(&'a (dyn std::error::Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.title(), self.detail)
    }
}

impl std::error::Error for Problem {}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.kind.status();
        let document = Document {
            r#type: format!("urn:cofferdam:problem:{}", name(self.kind)),
            title: self.kind.title(),
            status: status.as_u16(),
            problem: &self,
        };
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(self.kind);
        response
    }
}

fn name(kind: ProblemKind) -> String {
    match serde_json::to_value(kind) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_problem_is_an_rfc_9457_document() {
        let problem = Problem::new(ProblemKind::BudgetExhausted, "600 a minute").retry_after(7);
        let response = problem.clone().into_response();
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        assert_eq!(response.headers()["retry-after"], "7");
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        let document: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(document["type"], "urn:cofferdam:problem:budget-exhausted");
        assert_eq!(document["status"], 429);
        assert_eq!(document["detail"], "600 a minute");
        assert_eq!(serde_json::from_value::<Problem>(document).unwrap(), problem);
    }
}
