//! `POST /v1/entries/prove`: the proof that an entry is in the tree of the release log.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{Inclusion, ProveEntry};

use crate::app::App;

/// Proves that an entry is in the tree.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(call, encoding): Body<ProveEntry>,
) -> Result<Answer<Inclusion>, Problem> {
    app.check_auditor(&by, "reading the release log").await?;
    let size = if call.size == 0 { app.log.size() } else { call.size };
    let (leaf, proof) = app.log.inclusion(call.index, size)?;
    let proof = proof.into_iter().map(|hash| hash.0).collect();
    Ok(Answer(Inclusion { size, leaf: leaf.0, proof }, encoding))
}
