//! Serving the notice over plain HTTP: one static page, readable with everything else down.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;

use super::notice::PAGE;

/// Serves the notice in `dir` until the task is aborted.
pub async fn serve_notice(dir: PathBuf, listener: TcpListener) {
    let router = Router::new().route("/", get(page)).with_state(Arc::new(dir.join(PAGE)));
    if let Err(e) = axum::serve(listener, router).await {
        tracing::error!(cause = %e, "the notice is no longer served");
    }
}

async fn page(State(path): State<Arc<PathBuf>>) -> Response {
    match tokio::fs::read(path.as_path()).await {
        Ok(page) => (
            [
                (header::CONTENT_TYPE, "text/html; charset=utf-8"),
                (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
                (header::CACHE_CONTROL, "no-cache"),
            ],
            page,
        )
            .into_response(),
        Err(_) => (StatusCode::NOT_FOUND, "There is no notice.\n").into_response(),
    }
}
