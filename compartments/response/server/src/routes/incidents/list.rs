//! `POST /v1/incidents/list`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{Incident, ListIncidents};

use crate::app::App;
use crate::staff::Staff;

/// Lists the incidents, newest first.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(_): Staff,
    Body(_, encoding): Body<ListIncidents>,
) -> Result<Answer<Vec<Incident>>, Problem> {
    Ok(Answer(app.store.incidents().await?, encoding))
}
