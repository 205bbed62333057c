//! `POST /v1/callers/list`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::ListCallers;

use crate::app::App;
use crate::routes::json;
use crate::staff::Staff;

/// Lists the callers from `keys`, with grants, budgets and recent use.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(_): Staff,
    Body(_, encoding): Body<ListCallers>,
) -> Result<Answer<serde_json::Value>, Problem> {
    let callers = app.compartments.keys.call(&keys_api::ListCallers {}).await?;
    Ok(Answer(json(&callers)?, encoding))
}
