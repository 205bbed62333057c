//! `POST /v1/access-logs/import`: a page of an access log.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::ImportAccesses;

use crate::app::App;
use crate::jobs;
use crate::staff::Staff;

/// Takes a page of an access log.
pub async fn import(
    State(app): State<Arc<App>>,
    Staff(_): Staff,
    Body(call, encoding): Body<ImportAccesses>,
) -> Result<Answer<()>, Problem> {
    Ok(Answer(jobs::access_log::import(&app, call).await?, encoding))
}
