//! `POST /v1/callers/freeze`: a caller is frozen or thawed.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::CallerName;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use payments_api::FreezeCaller;

use crate::app::App;

/// Freezes a caller, or thaws it if no incident holds it. `keys` knows that, so a stolen certificate of
/// the controller thaws nobody here either, not even a caller that was frozen while `keys` was down.
/// Answers when the order holds at every instance.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<FreezeCaller>,
) -> Result<Answer<()>, Problem> {
    app.check_controller(&caller)?;
    let is_controller = |caller: &CallerName| app.is_controller(caller);
    call.check(is_controller).map_err(|e| Problem::bad_request(e.to_string()))?;
    let order = app.vault.freeze_or_thaw(app.store.db(), &call, app.clock.now()).await?;
    tracing::warn!(caller = %call.caller, frozen = call.frozen, "a caller was frozen or thawed");
    let confirmed = app.vault.confirm_freeze(app.store.db(), &call);
    let (held, ()) = tokio::join!(app.frozen.hold_everywhere(order), confirmed);
    held?;
    Ok(Answer((), encoding))
}
