//! `POST /v1/anchors/list`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{AnchorPage, IncidentId, ListAnchors};

use crate::acts::evidence::anchor_page;
use crate::app::App;
use crate::staff::Staff;

/// Lists the anchors of a journal. They show nobody's data.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(_): Staff,
    Body(call, encoding): Body<ListAnchors>,
) -> Result<Answer<AnchorPage>, Problem> {
    if call.incident != IncidentId::NONE {
        app.incident(call.incident).await?;
    }
    Ok(Answer(anchor_page(&app, &call).await?, encoding))
}
