//! `POST /v1/incidents/scope`: what the fallen hosts gave up, from the release log.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{Exposure, ScopeIncident};

use crate::app::App;
use crate::jobs;
use crate::staff::Staff;

/// Computes the exposure anew and keeps it.
pub async fn scope(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<ScopeIncident>,
) -> Result<Answer<Exposure>, Problem> {
    let incident = app.incident(call.incident).await?;
    let exposure = jobs::scope(&app, &incident, call.from_log).await?;
    let people = exposure.people;
    let entries: u64 = exposure.logs.iter().map(|log| log.size).sum();
    let detail = format!(
        "{} read, {} presented, {} reachable of {} customers; log of {} entries",
        people.read, people.presented, people.reachable, exposure.customers, entries
    );
    app.journal(call.incident, &by, "scope", &detail).await?;
    Ok(Answer(exposure, encoding))
}
