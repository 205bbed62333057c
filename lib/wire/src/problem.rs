//! Errors as they leave a compartment: problem documents (RFC 9457).
//!
//! Which error belongs where:
//!
//! - A layer below the routes has an error enum of its own and knows nothing of HTTP.
//! - An error that the caller can do nothing about implements [`InternalError`]; `?` in a route turns
//!   it into [`ProblemType::INTERNAL`], and its cause goes to the log.
//! - An error that the caller can act on becomes a [`Problem`] of a type with a code, either in the
//!   route that knows what it means there, or by `impl From` beside the error.
//! - A refusal of another compartment is passed on as it came; a failure of another compartment is
//!   [`ProblemType::UPSTREAM`].

use std::fmt;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cofferdam_core::{InternalError, ProblemType};
use serde::{Deserialize, Serialize};

/// What precedes a code in a problem's `type`.
const URN: &str = "urn:cofferdam:problem:";

/// A problem document. Its `detail` may be logged and shown: no personal data in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The HTTP status.
    status: u16,
    /// The type in a few words.
    title: String,
    /// The code of its [`ProblemType`].
    code: String,
    /// A sentence on this case.
    pub detail: String,
    /// When it is worth trying again, in seconds from now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
}

/// The document on the wire.
#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    #[serde(flatten)]
    problem: &'a Problem,
}

/// The code of the problem that a response carries, for the request log.
#[derive(Debug, Clone)]
pub(crate) struct ProblemCode(pub String);

impl Problem {
    /// A problem of a type.
    pub fn new(of: ProblemType, detail: impl Into<String>) -> Self {
        Self {
            status: of.status,
            title: of.title.to_owned(),
            code: of.code.to_owned(),
            detail: detail.into(),
            retry_after_s: None,
        }
    }

    /// The same, worth trying again in `seconds`.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// The request is not understood, and why.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(ProblemType::BAD_REQUEST, detail)
    }

    /// The caller has no grant for this.
    pub fn not_granted(detail: impl Into<String>) -> Self {
        Self::new(ProblemType::NOT_GRANTED, detail)
    }

    /// The thing that the request names does not exist.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(ProblemType::NOT_FOUND, detail)
    }

    /// The request conflicts with the current state.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(ProblemType::CONFLICT, detail)
    }

    /// A part of the compartment failed: the cause goes to the log, and the caller learns no more
    /// than that.
    pub fn internal(cause: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(cause = %Chain(cause), "internal error");
        Self::new(ProblemType::INTERNAL, "the compartment's log says what failed")
    }

    /// Whether the problem is of a type.
    #[must_use]
    pub fn is(&self, of: ProblemType) -> bool {
        self.code == of.code
    }

    /// The code of the problem's type. A newer compartment may answer with a code that this version
    /// does not know.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }
}

impl<E: InternalError> From<E> for Problem {
    fn from(error: E) -> Self {
        Self::internal(&error)
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
        write!(f, "{}: {}", self.title, self.detail)
    }
}

impl std::error::Error for Problem {}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status);
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let document = Document { r#type: format!("{URN}{}", self.code), problem: &self };
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(ProblemCode(self.code));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_problem_is_an_rfc_9457_document() {
        let problem = Problem::new(ProblemType::BUDGET_EXHAUSTED, "600 a minute").retry_after(7);
        let response = problem.clone().into_response();
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        assert_eq!(response.headers()["retry-after"], "7");
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        let document: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(document["type"], "urn:cofferdam:problem:budget-exhausted");
        assert_eq!(document["code"], "budget-exhausted");
        assert_eq!(document["status"], 429);
        assert_eq!(document["title"], "The caller's budget is spent");
        assert_eq!(document["detail"], "600 a minute");
        assert_eq!(serde_json::from_value::<Problem>(document).unwrap(), problem);
    }

    #[test]
    fn codes_and_statuses_are_distinct_and_right() {
        let codes: std::collections::BTreeSet<_> =
            ProblemType::GENERAL.iter().map(|of| of.code).collect();
        assert_eq!(codes.len(), ProblemType::GENERAL.len());
        for of in ProblemType::GENERAL {
            let problem = Problem::new(of, "");
            assert_eq!(problem.clone().into_response().status().as_u16(), of.status);
            assert!(problem.is(of));
        }
    }

    #[derive(Debug, thiserror::Error)]
    #[error("the disk of host-7 is broken")]
    struct Broken;

    impl InternalError for Broken {}

    #[test]
    fn the_cause_of_an_internal_error_stays_here() {
        let problem = Problem::from(Broken);
        assert!(problem.is(ProblemType::INTERNAL));
        assert!(!problem.to_string().contains("host-7"));
    }
}
