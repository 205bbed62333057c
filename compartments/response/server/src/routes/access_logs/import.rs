//! `POST /v1/access-logs/import`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::ImportAccessLog;

use crate::acts::access_logs;
use crate::app::App;
use crate::staff::Staff;

/// Imports a page of an access log.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(_): Staff,
    Body(call, encoding): Body<ImportAccessLog>,
) -> Result<Answer<()>, Problem> {
    Ok(Answer(access_logs::import(&app, call).await?, encoding))
}
