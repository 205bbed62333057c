//! `POST /v1/access-logs/list`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{AccessLog, ListAccessLogs};

use crate::app::App;
use crate::staff::Staff;

/// Lists the finished access logs.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(_): Staff,
    Body(_, encoding): Body<ListAccessLogs>,
) -> Result<Answer<Vec<AccessLog>>, Problem> {
    Ok(Answer(app.store.access_logs().await?, encoding))
}
