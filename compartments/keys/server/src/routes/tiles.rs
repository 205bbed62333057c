//! `GET /checkpoint` and `GET /tile/…`: the log as public tools read it
//! (c2sp.org/tlog-tiles). Names and numbers only, yet for the controller and auditors.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use cofferdam_store::tlog::TilePath;
use cofferdam_wire::{Caller, Problem};

use crate::app::App;

/// The routes.
pub fn routes() -> Router<Arc<App>> {
    Router::new().route("/checkpoint", get(checkpoint)).route("/tile/{*path}", get(tile))
}

async fn checkpoint(State(app): State<Arc<App>>, Caller(by): Caller) -> Result<Response, Problem> {
    app.check_auditor(&by, "reading the release log").await?;
    let note = app.log.public_checkpoint().map_err(|e| Problem::internal(&e))?;
    let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    Ok((kind, note).into_response())
}

async fn tile(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Path(path): Path<String>,
) -> Result<Response, Problem> {
    app.check_auditor(&by, "reading the release log").await?;
    let missing = || Problem::not_found("the log has no such tile");
    let tile = TilePath::parse(&path).ok_or_else(missing)?;
    let bytes = app.log.tile(tile).map_err(|e| Problem::internal(&e))?.ok_or_else(missing)?;
    let kind = [(header::CONTENT_TYPE, "application/octet-stream")];
    Ok((kind, bytes).into_response())
}
