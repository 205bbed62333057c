//! `POST /v1/access-logs/finish`: an access log is whole.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{AccessLog, FinishAccessLog};

use crate::app::App;
use crate::jobs;
use crate::staff::Staff;

/// Puts an access log in order.
pub async fn finish(
    State(app): State<Arc<App>>,
    Staff(_): Staff,
    Body(call, encoding): Body<FinishAccessLog>,
) -> Result<Answer<AccessLog>, Problem> {
    Ok(Answer(jobs::access_log::finish(&app, call).await?, encoding))
}
