//! `POST /v1/checkpoints/list`: the highest checkpoint of each release log that was seen.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::SeenCheckpoint;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use payments_api::ListCheckpoints;

use crate::app::App;

/// Lists the kept checkpoints.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(ListCheckpoints {}, encoding): Body<ListCheckpoints>,
) -> Result<Answer<Vec<SeenCheckpoint>>, Problem> {
    app.check_controller(&caller)?;
    Ok(Answer(app.store.db().seen_checkpoints().await?, encoding))
}
