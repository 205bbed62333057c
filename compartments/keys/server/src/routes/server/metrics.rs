//! `GET /metrics`: figures for Prometheus.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Caller, Problem, render_metrics};

use crate::app::App;

/// Shows every figure of the process.
pub async fn handle(State(app): State<Arc<App>>, Caller(by): Caller) -> Result<String, Problem> {
    app.check_auditor(&by, "reading metrics").await?;
    Ok(render_metrics())
}
