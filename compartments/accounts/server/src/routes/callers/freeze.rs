//! `POST /v1/callers/freeze`: a caller is frozen or thawed.

use std::sync::Arc;

use accounts_api::FreezeCaller;
use axum::extract::State;
use cofferdam_core::{CallerName, STILL_HELD};
use cofferdam_wire::{Answer, Body, Caller, Problem};

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
    let mut orders = app.orders.write().await;
    if !call.frozen && app.freezes.count() != freezes {
        return Err(Problem::new(STILL_HELD, "a caller was frozen at this moment: thaw it again"));
    }
    app.store.set_frozen(&call.caller, call.frozen, call.reason.as_str(), app.now()).await?;
    tracing::warn!(caller = %call.caller, frozen = call.frozen, "a caller was frozen or thawed");
    orders.freeze(call.caller, call.frozen);
    Ok(Answer((), encoding))
}
