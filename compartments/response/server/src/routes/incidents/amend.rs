//! `POST /v1/incidents/amend`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{AmendIncident, Incident};

use crate::acts::incidents;
use crate::app::App;
use crate::staff::Staff;

/// Amends an open incident.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<AmendIncident>,
) -> Result<Answer<Incident>, Problem> {
    Ok(Answer(incidents::amend(&app, &call, &by).await?, encoding))
}
