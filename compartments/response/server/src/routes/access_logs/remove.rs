//! `POST /v1/access-logs/remove`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::RemoveAccessLog;

use crate::acts::access_logs;
use crate::app::App;
use crate::staff::Staff;

/// Removes an access log.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<RemoveAccessLog>,
) -> Result<Answer<()>, Problem> {
    Ok(Answer(access_logs::remove(&app, &call.log, &by).await?, encoding))
}
