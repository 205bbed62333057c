//! `POST /v1/persons/find`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::Record;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::FindPerson;

use crate::app::App;
use crate::staff::Staff;

/// Finds a person of the brought table by the shop's key.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(_): Staff,
    Body(call, encoding): Body<FindPerson>,
) -> Result<Answer<Option<Record>>, Problem> {
    let found = app.store.records_by_key(&[&call.key]).await?;
    Ok(Answer(found.get(&call.key).copied().map(Record), encoding))
}
