//! `POST /v1/log/…`: the release log, for those who copy, witness and check it.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{
    CheckpointAnswer, Cosign, Inclusion, LogEntries, ProveInclusion, ReadCheckpoint, ReadEntries,
};

use crate::LogError;
use crate::app::App;

/// The most entries that one call may ask for.
const MAX_ENTRIES: u32 = 100_000;

/// A signed checkpoint, and the proof that it extends the reader's tree.
pub async fn checkpoint(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(call, encoding): Body<ReadCheckpoint>,
) -> Result<Answer<CheckpointAnswer>, Problem> {
    app.check_auditor(&by, "reading the release log").await?;
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
    app.check_auditor(&by, "reading the release log").await?;
    let entries =
        app.log.entries(call.from, call.limit.min(MAX_ENTRIES).into()).map_err(problem)?;
    Ok(Answer(LogEntries { entries }, encoding))
}

/// The proof that an entry is in the tree.
pub async fn inclusion(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(call, encoding): Body<ProveInclusion>,
) -> Result<Answer<Inclusion>, Problem> {
    app.check_auditor(&by, "reading the release log").await?;
    let size = if call.size == 0 { app.log.size() } else { call.size };
    let (leaf, proof) = app.log.inclusion(call.index, size).map_err(problem)?;
    let proof = proof.into_iter().map(|hash| hash.0).collect();
    Ok(Answer(Inclusion { size, leaf: leaf.0, proof }, encoding))
}

/// Takes the witness's cosignature; whoever brings it, its signature is what counts.
pub async fn cosign(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(call, encoding): Body<Cosign>,
) -> Result<Answer<()>, Problem> {
    app.check_controller(&by, "bringing a cosignature").await?;
    app.log.set_cosigned(&call.note).map_err(problem)?;
    Ok(Answer((), encoding))
}

fn problem(error: LogError) -> Problem {
    match error {
        LogError::Cosignature(_) | LogError::Beyond { .. } => {
            Problem::bad_request(error.to_string())
        }
        other => Problem::internal(&other),
    }
}
