//! `POST /v1/log/checkpoint` and `/entries`: the release log, for those who copy and check it.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{CheckpointAnswer, LogEntries, ReadCheckpoint, ReadEntries};

use super::app::App;
use crate::LogError;

/// The most entries that one call may ask for.
const MAX_ENTRIES: u32 = 100_000;

/// A signed checkpoint, and the proof that it extends the reader's tree.
pub async fn checkpoint(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(call, encoding): Body<ReadCheckpoint>,
) -> Result<Answer<CheckpointAnswer>, Problem> {
    app.check_controller(&by, "reading the release log").await?;
    let (note, size) = app.log.checkpoint().map_err(problem)?;
    let proof = app.log.consistency(call.since, size).map_err(problem)?;
    let consistency = proof.into_iter().map(|hash| hash.0).collect();
    Ok(Answer(CheckpointAnswer { note, consistency }, encoding))
}

/// Entries, as they stand in the log.
pub async fn entries(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(call, encoding): Body<ReadEntries>,
) -> Result<Answer<LogEntries>, Problem> {
    app.check_controller(&by, "reading the release log").await?;
    let entries = app.log.entries(call.from, call.limit.min(MAX_ENTRIES)).map_err(problem)?;
    Ok(Answer(LogEntries { entries }, encoding))
}

fn problem(error: LogError) -> Problem {
    match error {
        LogError::Beyond { .. } => Problem::bad_request(error.to_string()),
        other => Problem::internal(&other),
    }
}
