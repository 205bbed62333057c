//! `POST /v1/entries/read`: entries of the release log, as stored.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{LogEntries, ReadEntries};

use crate::app::App;

/// The most entries that one call may ask for.
const MAX_ENTRIES: u32 = 100_000;

/// Reads encoded entries from an index on.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(call, encoding): Body<ReadEntries>,
) -> Result<Answer<LogEntries>, Problem> {
    app.check_auditor(&by, "reading the release log").await?;
    let entries = app.log.entries(call.from, call.limit.min(MAX_ENTRIES).into())?;
    Ok(Answer(LogEntries { entries }, encoding))
}
