//! `POST /v1/callers/freeze`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{CallerHolds, FreezeCaller};

use crate::acts::freeze;
use crate::app::App;
use crate::staff::Staff;

/// Freezes a caller for an incident, or lets go of it. Letting go works after the incident was closed
/// too.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<FreezeCaller>,
) -> Result<Answer<CallerHolds>, Problem> {
    if call.frozen {
        app.open_incident(call.incident).await?;
    } else {
        app.incident(call.incident).await?;
    }
    freeze::check_key(&app, &call).await?;
    Ok(Answer(freeze::freeze(&app, call, &by).await?, encoding))
}
