//! `POST /v1/callers/freeze`: a caller is frozen or thawed.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::{CallerName, STILL_HELD};
use cofferdam_wire::{Answer, Body, Caller, Problem};
use payments_api::FreezeCaller;

use crate::app::App;

/// Freezes a caller, or thaws it if no incident holds it. `keys` knows that, so a stolen certificate of
/// the controller thaws nobody here either.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<FreezeCaller>,
) -> Result<Answer<()>, Problem> {
    app.check_controller(&caller)?;
    let is_controller = |caller: &CallerName| app.is_controller(caller);
    call.check(is_controller).map_err(|e| Problem::bad_request(e.to_string()))?;
    let freezes = app.freezes.count();
    if call.frozen {
        app.freezes.add();
    } else {
        app.vault.check_released(&call.caller).await?;
    }
    // The lock is held until the row is on disk, so that the set and the table never differ.
    let mut frozen = app.frozen.write().await;
    if !call.frozen && app.freezes.count() != freezes {
        return Err(Problem::new(STILL_HELD, "a caller was frozen at this moment: thaw it again"));
    }
    app.store.set_frozen(&call.caller, call.frozen, call.reason.as_str(), app.clock.now()).await?;
    tracing::warn!(caller = %call.caller, frozen = call.frozen, "a caller was frozen or thawed");
    if call.frozen {
        frozen.insert(call.caller);
    } else {
        frozen.remove(&call.caller);
    }
    Ok(Answer((), encoding))
}
