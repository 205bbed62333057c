//! `POST /v1/checkpoints/cosign`: the witness's cosignature under a checkpoint.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::CosignCheckpoint;

use crate::app::App;

/// Takes the witness's cosignature. The controller brings it, and the signature itself is checked.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(call, encoding): Body<CosignCheckpoint>,
) -> Result<Answer<()>, Problem> {
    app.check_controller(&by, "bringing a cosignature").await?;
    app.log.set_cosigned(&call.note)?;
    Ok(Answer((), encoding))
}
