//! `POST /v1/checkpoints/read`: the state of the release log, signed.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{CheckpointAnswer, ReadCheckpoint};

use crate::app::App;

/// Reads a checkpoint, and the proof that it extends the reader's tree.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(call, encoding): Body<ReadCheckpoint>,
) -> Result<Answer<CheckpointAnswer>, Problem> {
    app.check_auditor(&by, "reading the release log").await?;
    let (note, size) = app.log.checkpoint()?;
    let proof = app.log.consistency(call.since, size)?;
    let consistency = proof.into_iter().map(|hash| hash.0).collect();
    Ok(Answer(CheckpointAnswer { note, consistency }, encoding))
}
