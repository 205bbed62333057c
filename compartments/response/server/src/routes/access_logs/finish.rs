//! `POST /v1/access-logs/finish`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{AccessLog, FinishAccessLog};

use crate::acts::access_logs;
use crate::app::App;
use crate::staff::Staff;

/// Sorts and indexes an access log.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<FinishAccessLog>,
) -> Result<Answer<AccessLog>, Problem> {
    Ok(Answer(access_logs::finish(&app, call, &by).await?, encoding))
}
