//! `POST /v1/incidents/list`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{Incident, ListIncidents};

use crate::app::App;
use crate::staff::Staff;

/// Lists the incidents, newest first.
pub async fn list(
    State(app): State<Arc<App>>,
    _: Staff,
    Body(_, encoding): Body<ListIncidents>,
) -> Result<Answer<Vec<Incident>>, Problem> {
    let incidents = app.store.incidents().await;
    Ok(Answer(incidents?, encoding))
}
