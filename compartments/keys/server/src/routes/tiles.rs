//! `GET /checkpoint` and `GET /tile/…`: the log as public tools read it
//! (c2sp.org/tlog-tiles). Names and numbers only, yet for the controller and auditors.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use cofferdam_tlog::TilePath;
use cofferdam_wire::{Caller, Problem};

use crate::app::App;

/// The newest checkpoint with every signature.
pub async fn checkpoint(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
) -> Result<Response, Problem> {
    app.check_auditor(&by, "reading the release log").await?;
    let note = app.log.public_checkpoint()?;
    let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    Ok((kind, note).into_response())
}

/// One tile.
pub async fn tile(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Path(path): Path<String>,
) -> Result<Response, Problem> {
    app.check_auditor(&by, "reading the release log").await?;
    let missing = || Problem::not_found("the log has no such tile");
    let tile = TilePath::parse(&path).ok_or_else(missing)?;
    let bytes = app.log.tile(tile)?.ok_or_else(missing)?;
    let kind = [(header::CONTENT_TYPE, "application/octet-stream")];
    Ok((kind, bytes).into_response())
}
