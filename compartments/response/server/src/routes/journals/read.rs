//! `POST /v1/journals/read`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{IncidentId, JournalEntry, ReadJournal};

use crate::app::App;
use crate::staff::Staff;

/// Reads the journal of an incident, or of acts that belong to no incident.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(_): Staff,
    Body(call, encoding): Body<ReadJournal>,
) -> Result<Answer<Vec<JournalEntry>>, Problem> {
    if call.incident != IncidentId::NONE {
        app.incident(call.incident).await?;
    }
    Ok(Answer(app.store.read_journal(call.incident).await?, encoding))
}
