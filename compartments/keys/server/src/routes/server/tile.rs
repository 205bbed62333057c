//! `GET /tile/…`: a tile of the log as public tools read it (c2sp.org/tlog-tiles). Like
//! `/checkpoint`, it is for the controller and the auditors.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use cofferdam_tlog::TilePath;
use cofferdam_wire::{Caller, Problem};

use crate::app::App;

/// Shows one tile of the log.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Path(path): Path<String>,
) -> Result<Response, Problem> {
    app.check_auditor(&by, "reading the release log").await?;
    let missing = || Problem::not_found("the log has no such tile");
    let tile = TilePath::parse(&path).ok_or_else(missing)?;
    let bytes = app.log.tile(tile)?.ok_or_else(missing)?;
    Ok(([(header::CONTENT_TYPE, crate::routes::BYTES)], bytes).into_response())
}
