//! `POST /v1/roster/find`: who has one of the shop's own keys.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::Record;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::FindPerson;

use crate::app::App;
use crate::staff::Staff;

/// Looks a person up.
pub async fn find(
    State(app): State<Arc<App>>,
    Staff(_): Staff,
    Body(call, encoding): Body<FindPerson>,
) -> Result<Answer<Option<Record>>, Problem> {
    let found = app.store.roster_keys(&[&call.key]).await?;
    Ok(Answer(found.get(&call.key).copied().map(Record), encoding))
}
