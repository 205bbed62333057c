//! The pages for the public, over plain HTTP: the notice, which is a static page and stays readable
//! with everything else down, and the page that checks letters.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;

use super::notice::PAGE;
use super::verify::{self, Verify};
use crate::app::App;

/// The most bytes of a form.
const MAX_FORM: usize = 1_024;

/// Serves the pages until the task is aborted.
pub async fn serve_public(app: Arc<App>, listener: TcpListener) {
    let verify = Router::new()
        .route("/verify", get(verify::show).post(verify::check))
        .layer(DefaultBodyLimit::max(MAX_FORM))
        .with_state(Arc::new(Verify::new(app.clone())));
    let proxies = app.config.notice_proxies.clone();
    let router = Router::new().route("/", get(notice)).with_state(app).merge(verify);
    cofferdam_wire::serve_anybody(listener, proxies, router).await;
}

async fn notice(State(app): State<Arc<App>>) -> Response {
    match tokio::fs::read(app.config.notice_dir.join(PAGE)).await {
        Ok(text) => page(text),
        Err(_) => (StatusCode::NOT_FOUND, "There is no notice.\n").into_response(),
    }
}

/// Answers with a page that loads nothing, and that sends its form only here.
pub fn page(text: Vec<u8>) -> Response {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; \
                  frame-ancestors 'none'; base-uri 'none'";
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, text).into_response()
}
