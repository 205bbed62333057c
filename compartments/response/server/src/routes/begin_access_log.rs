//! `POST /v1/access-logs/begin`: an access log is going to be brought.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{AccessLogState, BeginAccessLog};

use crate::app::App;
use crate::jobs;
use crate::staff::Staff;

/// Begins an access log.
pub async fn begin(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<BeginAccessLog>,
) -> Result<Answer<AccessLogState>, Problem> {
    Ok(Answer(jobs::access_log::begin(&app, &call, &by).await?, encoding))
}
