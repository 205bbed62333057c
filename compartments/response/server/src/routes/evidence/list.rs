//! `POST /v1/evidence/list`

use std::sync::Arc;

use cofferdam_wire::Problem;
use response_api::{EvidencePage, ListEvidence};

use crate::acts::evidence::evidence_page;
use crate::app::App;

/// Lists log entries that concern the fallen hosts.
pub async fn show(app: Arc<App>, call: ListEvidence) -> Result<EvidencePage, Problem> {
    let incident = app.incident(call.incident).await?;
    let exposure = app.exposure(call.incident).await?;
    let log = usize::try_from(call.log).unwrap_or(usize::MAX);
    evidence_page(&app, &incident, &exposure, (log, call.from)).await
}
