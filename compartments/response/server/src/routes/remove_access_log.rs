//! `POST /v1/access-logs/remove`: an access log was brought by mistake.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::RemoveAccessLog;

use crate::app::App;
use crate::jobs;
use crate::staff::Staff;

/// Takes an access log away.
pub async fn remove(
    State(app): State<Arc<App>>,
    Staff(_): Staff,
    Body(call, encoding): Body<RemoveAccessLog>,
) -> Result<Answer<()>, Problem> {
    Ok(Answer(jobs::access_log::remove(&app, &call.log).await?, encoding))
}
