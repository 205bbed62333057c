//! `POST /v1/callers/freeze`: a caller is frozen or thawed.

use std::sync::Arc;

use accounts_api::FreezeCaller;
use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};

use crate::app::App;

/// The longest reason, in characters.
const MAX_REASON: usize = 500;

/// Freezes or thaws a caller.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<FreezeCaller>,
) -> Result<Answer<()>, Problem> {
    app.check_controller(&caller)?;
    if call.reason.chars().count() > MAX_REASON {
        return Err(Problem::bad_request(format!("a reason has at most {MAX_REASON} characters")));
    }
    if app.is_controller(&call.caller) {
        return Err(Problem::bad_request("the controller can't be frozen: nobody could thaw it"));
    }
    let mut orders = app.orders.write().await;
    app.store.set_frozen(&call.caller, call.frozen, &call.reason, app.now()).await?;
    tracing::warn!(caller = %call.caller, frozen = call.frozen, "a caller was frozen or thawed");
    orders.freeze(call.caller, call.frozen);
    Ok(Answer((), encoding))
}
