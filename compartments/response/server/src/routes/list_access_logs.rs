//! `POST /v1/access-logs/list`: the access logs that were brought.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{AccessLog, ListAccessLogs};

use crate::app::App;
use crate::staff::Staff;

/// Lists the access logs.
pub async fn list(
    State(app): State<Arc<App>>,
    Staff(_): Staff,
    Body(_, encoding): Body<ListAccessLogs>,
) -> Result<Answer<Vec<AccessLog>>, Problem> {
    let logs = app.store.access_logs().await?;
    Ok(Answer(logs, encoding))
}
