//! `POST /v1/callers/freeze`: a caller is frozen or thawed.

use std::sync::Arc;

use accounts_api::FreezeCaller;
use axum::extract::State;
use cofferdam_core::{CallerName, STILL_HELD};
use cofferdam_store::Generation;
use cofferdam_wire::{Answer, Body, Caller, Problem};

use crate::app::App;

/// Freezes a caller, or thaws it if no incident holds it. `keys` knows that, so a stolen certificate of
/// the controller thaws nobody here either. Answers when the order holds at every instance.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<FreezeCaller>,
) -> Result<Answer<()>, Problem> {
    app.check_controller(&caller)?;
    let is_controller = |caller: &CallerName| app.is_controller(caller);
    call.check(is_controller).map_err(|e| Problem::bad_request(e.to_string()))?;
    let order = if call.frozen {
        app.store.db().freeze_caller(&call, app.now()).await?
    } else {
        thaw(&app, &call.caller).await?
    };
    tracing::warn!(caller = %call.caller, frozen = call.frozen, "a caller was frozen or thawed");
    app.orders.hold_everywhere(order).await?;
    Ok(Answer((), encoding))
}

async fn thaw(app: &App, caller: &CallerName) -> Result<Generation, Problem> {
    let db = app.store.db();
    // A freeze that comes while `keys` is asked moves the generation past this one.
    let seen = db.generation().await?;
    app.vault.check_released(caller).await?;
    let thawed = db.thaw_caller(caller, seen).await?;
    thawed.ok_or_else(|| {
        Problem::new(STILL_HELD, "another order was carried out at this moment: thaw it again")
    })
}
