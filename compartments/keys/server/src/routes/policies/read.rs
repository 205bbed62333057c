//! `POST /v1/policies/read`: the policy in force.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{Policy, ReadPolicy};

use crate::app::App;

/// Reads the policy in force.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(ReadPolicy {}, encoding): Body<ReadPolicy>,
) -> Result<Answer<Policy>, Problem> {
    app.check_controller(&by, "reading the policy").await?;
    app.catch_up().await?;
    Ok(Answer(app.shared.access().policy.clone(), encoding))
}
