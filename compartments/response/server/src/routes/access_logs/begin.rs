//! `POST /v1/access-logs/begin`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{AccessLogState, BeginAccessLog};

use crate::acts::access_logs;
use crate::app::App;
use crate::staff::Staff;

/// Begins to bring an access log, or returns its progress.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<BeginAccessLog>,
) -> Result<Answer<AccessLogState>, Problem> {
    Ok(Answer(access_logs::begin(&app, &call, &by).await?, encoding))
}
