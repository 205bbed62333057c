//! Problem documents (RFC 9457): the form in which errors leave a compartment.
//!
//! The policy for errors:
//!
//! - A layer below the routes has its own error enum and knows nothing of HTTP.
//! - An error that the caller can't repair implements [`InternalError`]. The operator `?` in a
//!   route turns it into [`ProblemType::INTERNAL`], and its cause goes to the log.
//! - An error that the caller can act on becomes a [`Problem`] of a type with a code. Either the
//!   route converts it, because only the route knows what the error means there, or an `impl From`
//!   beside the error does.
//! - A compartment passes on a refusal of another compartment unchanged. A failure of another
//!   compartment becomes [`ProblemType::UPSTREAM`].

use std::fmt;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cofferdam_core::{InternalError, ProblemType};
use serde::{Deserialize, Serialize};

/// The prefix of the code in a problem's `type`.
const URN: &str = "urn:cofferdam:problem:";

/// A problem document. It may be logged and shown, so it holds no personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    status: u16,
    title: String,
    code: String,
    /// A sentence on this case, without personal data.
    pub detail: String,
    /// The time until a retry may succeed, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
}

/// A problem document on the wire, with the `type` that RFC 9457 requires.
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
    /// A problem of type `kind`.
    pub fn new(kind: ProblemType, detail: impl Into<String>) -> Self {
        Self {
            status: kind.status,
            title: kind.title.to_owned(),
            code: kind.code.to_owned(),
            detail: detail.into(),
            retry_after_s: None,
        }
    }

    /// Adds the time until a retry may succeed.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// A problem of type [`ProblemType::BAD_REQUEST`].
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(ProblemType::BAD_REQUEST, detail)
    }

    /// A problem of type [`ProblemType::NOT_GRANTED`].
    pub fn not_granted(detail: impl Into<String>) -> Self {
        Self::new(ProblemType::NOT_GRANTED, detail)
    }

    /// A problem of type [`ProblemType::NOT_FOUND`].
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(ProblemType::NOT_FOUND, detail)
    }

    /// A problem of type [`ProblemType::CONFLICT`].
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(ProblemType::CONFLICT, detail)
    }

    /// A problem of type [`ProblemType::INTERNAL`]. The cause goes to the compartment's log and not
    /// into the problem.
    pub fn internal(cause: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(cause = %Chain(cause), "internal error");
        Self::new(ProblemType::INTERNAL, "the compartment's log says what failed")
    }

    /// Whether the problem is of type `kind`.
    #[must_use]
    pub fn is(&self, kind: ProblemType) -> bool {
        self.code == kind.code
    }

    /// The code of the problem's type. A newer compartment may send a code that this version does
    /// not know.
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

/// Writes an error and its causes on one line.
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
    fn general_types_have_distinct_codes_and_answer_with_their_status() {
        let codes: std::collections::BTreeSet<_> =
            ProblemType::GENERAL.iter().map(|kind| kind.code).collect();
        assert_eq!(codes.len(), ProblemType::GENERAL.len());
        for kind in ProblemType::GENERAL {
            let problem = Problem::new(kind, "");
            assert_eq!(problem.clone().into_response().status().as_u16(), kind.status);
            assert!(problem.is(kind));
        }
    }

    #[derive(Debug, thiserror::Error)]
    #[error("the disk of host-7 is broken")]
    struct Broken;

    impl InternalError for Broken {}

    #[test]
    fn a_problem_does_not_show_the_cause_of_an_internal_error() {
        let problem = Problem::from(Broken);
        assert!(problem.is(ProblemType::INTERNAL));
        assert!(!problem.to_string().contains("host-7"));
    }
}
