//! `POST /v1/incidents/close`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{CloseIncident, Incident};

use crate::acts::incidents;
use crate::app::App;
use crate::staff::Staff;

/// Closes an open incident.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<CloseIncident>,
) -> Result<Answer<Incident>, Problem> {
    Ok(Answer(incidents::close(&app, &call, &by).await?, encoding))
}
