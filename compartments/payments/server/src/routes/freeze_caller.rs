//! `POST /v1/contain/freeze`: a caller gets nothing more, or again.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use payments_api::FreezeCaller;

use crate::app::App;

/// Freezes or thaws a caller, effective before the answer leaves.
pub async fn freeze(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(call, encoding): Body<FreezeCaller>,
) -> Result<Answer<()>, Problem> {
    app.check_controller(&by)?;
    if call.frozen {
        app.set_frozen(&call.caller, true);
    }
    let stored = app.store.set_frozen(&call.caller, call.frozen).await;
    stored.map_err(|e| Problem::internal(&e))?;
    app.set_frozen(&call.caller, call.frozen);
    tracing::warn!(caller = %call.caller, frozen = call.frozen, %by, "freeze order");
    Ok(Answer((), encoding))
}
