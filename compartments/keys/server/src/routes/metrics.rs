//! `GET /metrics`: figures for Prometheus.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use cofferdam_wire::{Caller, Problem, render_metrics};

use crate::app::App;

/// The route.
pub fn routes() -> Router<Arc<App>> {
    Router::new().route("/metrics", get(metrics))
}

async fn metrics(State(app): State<Arc<App>>, Caller(by): Caller) -> Result<String, Problem> {
    app.check_auditor(&by, "reading metrics").await?;
    Ok(render_metrics())
}
