//! `POST /v1/incidents/scope`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{Exposure, ScopeIncident};

use crate::acts::scope::scope;
use crate::app::App;
use crate::staff::Staff;

/// Computes the exposure of an incident, and keeps it.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<ScopeIncident>,
) -> Result<Answer<Exposure>, Problem> {
    let incident = app.open_incident(call.incident).await?;
    let exposure = scope(&app, &incident, &by, call.from_log).await?;
    Ok(Answer(exposure, encoding))
}
