//! `POST /v1/roster/import`: a page of the shop's own table of customers.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{ImportRoster, RosterPage};

use crate::app::App;
use crate::jobs;
use crate::staff::Staff;

/// Takes a page of the roster.
pub async fn import(
    State(app): State<Arc<App>>,
    Staff(_): Staff,
    Body(call, encoding): Body<ImportRoster>,
) -> Result<Answer<RosterPage>, Problem> {
    Ok(Answer(jobs::roster::import_people(&app, call.people).await?, encoding))
}
