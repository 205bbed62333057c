//! `GET /checkpoint`: the log's state as public tools read it (c2sp.org/tlog-tiles). The log names
//! callers and numbers only; still, the route is for the controller and the auditors.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use cofferdam_wire::{Caller, Problem};

use crate::app::App;

/// Shows the newest checkpoint with every signature.
pub async fn handle(State(app): State<Arc<App>>, Caller(by): Caller) -> Result<Response, Problem> {
    app.check_auditor(&by, "reading the release log").await?;
    let note = app.log.public_checkpoint()?;
    Ok(([(header::CONTENT_TYPE, crate::routes::TEXT)], note).into_response())
}
