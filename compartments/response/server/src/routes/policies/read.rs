//! `POST /v1/policies/read`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::ReadPolicy;

use crate::app::App;
use crate::routes::json;
use crate::staff::Staff;

/// Reads the policy in force at `keys`.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(_): Staff,
    Body(_, encoding): Body<ReadPolicy>,
) -> Result<Answer<serde_json::Value>, Problem> {
    let policy = app.compartments.keys.call(&keys_api::ReadPolicy {}).await?;
    Ok(Answer(json(&policy)?, encoding))
}
