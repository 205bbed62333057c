//! `POST /v1/incidents/declare`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{DeclareIncident, Incident};

use crate::acts::incidents;
use crate::app::App;
use crate::staff::Staff;

/// Declares an incident and opens its journal.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<DeclareIncident>,
) -> Result<Answer<Incident>, Problem> {
    Ok(Answer(incidents::declare(&app, &call, &by).await?, encoding))
}
