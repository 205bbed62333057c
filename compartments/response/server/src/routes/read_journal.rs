//! `POST /v1/incidents/journal`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{JournalEntry, ReadJournal};

use crate::app::App;
use crate::routes::import_roster::NO_INCIDENT;
use crate::staff::Staff;

/// Reads the journal of an incident, or of what belongs to none.
pub async fn read(
    State(app): State<Arc<App>>,
    _: Staff,
    Body(call, encoding): Body<ReadJournal>,
) -> Result<Answer<Vec<JournalEntry>>, Problem> {
    if call.incident != NO_INCIDENT {
        app.incident(call.incident).await?;
    }
    let journal = app.store.read_journal(call.incident).await;
    Ok(Answer(journal?, encoding))
}
