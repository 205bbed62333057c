//! `POST /v1/persons/read`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{JournalAct, PersonExposure, ReadPerson};

use crate::acts::scope;
use crate::app::App;
use crate::staff::Staff;

/// Reads the exposure of one person: affected or not, by what, and when. The read is journalled.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<ReadPerson>,
) -> Result<Answer<PersonExposure>, Problem> {
    let incident = app.incident(call.incident).await?;
    let person = scope::person(&app, &incident, call.record).await?;
    let detail = format!("record {}", call.record);
    app.store.journal(&app.act(call.incident, &by, JournalAct::ReadPerson, detail)).await?;
    Ok(Answer(person, encoding))
}
