//! The request log: a line and a measurement for each request.

use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;

use super::caller::Caller;
use crate::problem::ProblemCode;

/// Logs one line per request with caller, route, status and time. The route is its pattern and
/// never the URL, which may hold personal data.
pub async fn log_request(request: Request, next: Next) -> Response {
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
