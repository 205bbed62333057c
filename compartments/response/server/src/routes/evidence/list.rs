//! `POST /v1/evidence/list`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{EvidencePage, ListEvidence};

use crate::acts::evidence::evidence_page;
use crate::app::App;
use crate::staff::Staff;

/// Lists log entries that concern the fallen hosts.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(_): Staff,
    Body(call, encoding): Body<ListEvidence>,
) -> Result<Answer<EvidencePage>, Problem> {
    let incident = app.incident(call.incident).await?;
    let exposure = app.exposure(call.incident).await?;
    let log = usize::try_from(call.log).unwrap_or(usize::MAX);
    let page = evidence_page(&app, &incident, &exposure, (log, call.from)).await?;
    Ok(Answer(page, encoding))
}
