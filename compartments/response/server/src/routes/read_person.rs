//! `POST /v1/incidents/person`: what became of one person's data.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{PersonExposure, ReadPerson};

use crate::app::App;
use crate::jobs;
use crate::staff::Staff;

/// Says whether one person was affected, by what, and when. Looking somebody up is written down.
pub async fn read(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<ReadPerson>,
) -> Result<Answer<PersonExposure>, Problem> {
    let incident = app.incident(call.incident).await?;
    let person = jobs::person(&app, &incident, call.record).await?;
    app.journal(call.incident, &by, "person", &format!("record {}", call.record)).await?;
    Ok(Answer(person, encoding))
}
