//! `POST /v1/evidence/entries`: the log's entries that an exposure rests on, with their proofs.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{ReadScoped, ScopedEntries};

use crate::app::App;
use crate::jobs;
use crate::staff::Staff;

/// Reads a page of them.
pub async fn read(
    State(app): State<Arc<App>>,
    _: Staff,
    Body(call, encoding): Body<ReadScoped>,
) -> Result<Answer<ScopedEntries>, Problem> {
    let incident = app.incident(call.incident).await?;
    let exposure = app.exposure(call.incident).await?;
    let log = usize::try_from(call.log).unwrap_or(usize::MAX);
    let entries = jobs::scoped(&app, &incident, &exposure, log, call.from).await?;
    Ok(Answer(entries, encoding))
}
