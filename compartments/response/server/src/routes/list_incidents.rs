//! `POST /v1/incidents/list`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use response_api::{Incident, ListIncidents};

use crate::app::App;

/// Lists the incidents, newest first.
pub async fn list(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(_, encoding): Body<ListIncidents>,
) -> Result<Answer<Vec<Incident>>, Problem> {
    app.check_staff(&by)?;
    let incidents = app.store.incidents().await;
    Ok(Answer(incidents.map_err(|e| Problem::internal(&e))?, encoding))
}
